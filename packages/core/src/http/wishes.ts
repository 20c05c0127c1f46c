import type { Submission } from '../engine/submitter.ts';
import { laneWish } from '../intents/lane-wish.ts';
import { liveKeyOf } from '../intents/live-key-of.ts';
import { startWish } from '../intents/start-at.ts';
import type { ResolvedOperationOptions } from '../options.ts';
import type { WebhookWish } from '../webhooks/wish.ts';
import { wishFor } from '../webhooks/webhooks.ts';
import type { Exchange } from './handlers.ts';

/** What an operation's options ask of a request about when, and whether, its intent starts. */
export type Wishes = Pick<Submission, 'start' | 'liveKey' | 'key' | 'priority'>;

/** Whether the options ask nothing: then a submit need not wait for answers that are not there. */
export function asksNothing({ start, lanes, dedupe }: ResolvedOperationOptions): boolean {
  return start === null && lanes === null && dedupe === null;
}

/** Asks the operation's functions. Rejects with what they throw, or a `DurableError` for their answer. */
export async function wishesOf<Source>({
  request,
  operation,
  owner,
}: Exchange<Source>): Promise<Wishes> {
  const { start, lanes, dedupe } = operation.options;
  const { source } = request;
  const wish = start === null ? null : await startWish(start, source);
  const lane = lanes === null ? null : await laneWish(lanes, source);
  const liveKey = dedupe === null ? undefined : liveKeyOf(operation, owner, await dedupe(source));
  return {
    ...(wish !== null && { start: wish }),
    ...(liveKey !== undefined && { liveKey }),
    ...lane,
  };
}

/**
 * Whom an operation wants to be told of the end of a request's intent. Rejects with what its function throws.
 * @throws DurableError `webhook_invalid`
 */
export async function webhookWish<Source>(
  { setup: { webhooks }, request: { source, operationPath } }: Exchange<Source>,
  webhook: NonNullable<ResolvedOperationOptions['webhook']>,
): Promise<WebhookWish | null> {
  // One for all requests was checked when the operation was declared.
  if (typeof webhook === 'string') return { url: webhook, path: operationPath };
  return wishFor(webhooks, await webhook(source), operationPath);
}
