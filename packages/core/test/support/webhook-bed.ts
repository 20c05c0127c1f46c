import { webhookSchema, type WireWebhook } from '@durable-api/protocol';
import { deliver } from '../../src/webhooks/deliver.ts';
import { WEBHOOK_OPERATION } from '../../src/webhooks/delivery-input.ts';
import type {
  WebhookAnswer,
  WebhookOptions,
  WebhookPost,
} from '../../src/webhooks/webhook-options.ts';
import type { IntentRecord } from '../../src/state/intent.ts';
import type { BedOptions } from './bed.ts';
import type { MemoryData } from '../../src/store/memory-store.ts';

export const SECRET = `whsec_${Buffer.alloc(32, 7).toString('base64')}`;
export const URL_OF_HOOK = 'https://hooks.example.com/done';

/** A receiver in place of the network: what it was sent, and what it answers. */
export interface Receiver {
  readonly posts: WebhookPost[];
  /** The bodies of what it was sent. */
  bodies(): WireWebhook[];
  readonly webhooks: WebhookOptions;
  /** The options of a bed whose operation tells it of all ends. */
  readonly options: BedOptions;
}

// It is loaded with the first delivery, which takes real time while a virtual clock goes on.
void deliver;

/** A receiver that answers what `answer` says, 204 by default. */
export function receiver(
  answer: (post: WebhookPost, nth: number) => WebhookAnswer | Promise<WebhookAnswer> = () => ({
    status: 204,
  }),
  given: Partial<WebhookOptions> = {},
): Receiver {
  const posts: WebhookPost[] = [];
  const webhooks: WebhookOptions = {
    secret: SECRET,
    allow: ['hooks.example.com'],
    send: async (post) => {
      posts.push(post);
      return answer(post, posts.length);
    },
    ...given,
  };
  return {
    posts,
    bodies: () => posts.map(({ body }) => webhookSchema.parse(JSON.parse(body))),
    webhooks,
    options: { webhooks, operation: { webhook: URL_OF_HOOK } },
  };
}

/** The deliveries that are stored, in the order in which they were. */
export function deliveriesIn(data: MemoryData): IntentRecord[] {
  return [...data.entries.values()]
    .map(({ record }) => record)
    .filter(({ operation }) => operation === WEBHOOK_OPERATION);
}
