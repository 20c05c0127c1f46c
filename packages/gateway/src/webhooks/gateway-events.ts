import type { StoredEvent } from '@durable-api/core';
import { isTerminal } from '@durable-api/protocol';
import { addressKey } from '../addresses/address.ts';
import type { GatewayCore } from '../gateway-core.ts';
import { compact } from '../http/json.ts';
import { replyKey } from '../inbox/thread.ts';
import type { AxpIntent } from '../intents/intent-state.ts';
import { derivedId } from '../storage/derived-id.ts';

/** Where events come from that nobody has sent. */
const SOURCE = 'durable-api-gateway';

/** An intent was written: its events, and those of the threads that are seen from it. */
export async function tellSubscribers(
  core: GatewayCore,
  intent: AxpIntent,
  events: readonly StoredEvent[],
): Promise<void> {
  if (await core.subscriptions.isEmpty()) return;
  const { record, envelope } = intent;
  const reply = replyKey(intent, core.home);
  const sender = envelope.fromAgent === null ? null : addressKey(envelope.fromAgent, core.home);
  const owners = [envelope.to, reply, sender].filter((owner) => owner !== null);
  for (const { seq, type } of events) {
    await publish(core, intent, { key: String(seq), type, ownerAgent: envelope.toAgent, owners });
  }
  const isNew = events.some(({ seq }) => seq === 1);
  const key = `thread ${record.seq}`;
  const type = isNew ? 'inbox.thread_created' : 'inbox.thread_updated';
  await publish(core, intent, { key, type, ownerAgent: envelope.toAgent, owners: [envelope.to] });
  if (reply === null || reply === envelope.to || !isTerminal(record.status)) return;
  await publish(core, intent, {
    key: `reply ${record.seq}`,
    type: 'inbox.thread_created',
    ownerAgent: envelope.replyTo ?? '',
    owners: [reply],
  });
}

/** What one event is. */
interface Published {
  /** What tells it from others of the intent. */
  readonly key: string;
  readonly type: string;
  readonly ownerAgent: string;
  readonly owners: readonly string[];
}

/** Has an event of an intent told, and keeps it when somebody wants it. */
export async function publish(
  core: GatewayCore,
  { record, envelope }: AxpIntent,
  { key, type, ownerAgent, owners }: Published,
): Promise<void> {
  const payload = compact({
    intent_id: record.id,
    intent_type: envelope.intentType,
    status: record.status,
    from_agent: envelope.fromAgent,
    to_agent: envelope.toAgent,
  });
  const id = derivedId('axp.webhook-event', record.id, key);
  const event = { id, type, source: SOURCE, ownerAgent, owners, payload };
  if ((await core.webhookEvents.publish(event)) > 0) await core.webhookEvents.keep(event);
}
