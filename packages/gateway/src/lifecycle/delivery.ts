import { isTerminal } from '@durable-api/protocol';
import { canonicalAddress } from '../addresses/address.ts';
import { agentOf, isForMailbox, type AxpIntent } from '../intents/intent-state.ts';
import { Draft } from './draft.ts';

/** How long an agent has to take an intent before it is sent again, in ms; twice as long each time. */
export interface RedeliverOptions {
  readonly redeliverMs: number;
}

/** The longest time between two deliveries, in ms. */
const MAX_REDELIVER_MS = 15 * 60_000;

/** The intent is sent to its agent for the `attempt`th time; null when that has happened, or it has ended. */
export function deliver(
  intent: AxpIntent,
  attempt: number,
  { redeliverMs }: RedeliverOptions,
  now: number,
): Draft | null {
  const { record, envelope, state } = intent;
  if (record.attempt >= attempt || !isDeliverable(intent)) return null;
  const delayMs = Math.min(MAX_REDELIVER_MS, redeliverMs * 2 ** (attempt - 1));
  const draft = new Draft(intent, now);
  // An agent that listens may be faster than whoever writes that it has missed the last one.
  if (record.status === 'DELIVERED' && state.redeliverAt !== null)
    noteMissed(draft, record.attempt);
  return draft
    .attempt(attempt)
    .patch({ pendingWith: agentOf(envelope.toAgent, envelope.to), redeliverAt: now + delayMs })
    .event('delivered', 'DELIVERED', { details: { delivery_attempt: attempt } });
}

/** Whether it may be sent to its agent: nobody has taken it, and nobody else is waited for. */
function isDeliverable({ record, envelope }: AxpIntent): boolean {
  const { status, waitingReason } = record;
  // Its agent was lost.
  if (status === 'WAITING') return waitingReason === 'WAITING_FOR_AGENT' && isForMailbox(envelope);
  return status === 'SUBMITTED' || status === 'DELIVERED';
}

/** The agent has taken it: it is not sent again. */
export function take(intent: AxpIntent, actor: string, now: number): Draft | null {
  if (intent.record.status !== 'DELIVERED') return null;
  return new Draft(intent, now)
    .patch({ redeliverAt: null })
    .event('in_progress', 'IN_PROGRESS', { actor });
}

/** Nobody has taken it in time: it is to be sent again, or that was the last time. */
export function missDelivery(intent: AxpIntent, now: number): Draft {
  const { record, envelope } = intent;
  const { attempt } = record;
  const draft = noteMissed(new Draft(intent, now).patch({ redeliverAt: null }), attempt);
  if (attempt < envelope.maxDeliveryAttempts) return draft;
  const message = `${canonicalAddress(envelope.to)} did not take the intent in ${attempt} deliveries`;
  return draft.end('FAILED', { error: { code: 'delivery_failed', message } }, 'gateway');
}

function noteMissed(draft: Draft, attempt: number): Draft {
  const details = { delivery_attempt: attempt, reason: 'not_acknowledged' };
  return draft.event('delivery_failed', draft.status, { details });
}

/** Whether it is time to send it again. */
export function isMissed({ record, state }: AxpIntent, now: number): boolean {
  return !isTerminal(record.status) && state.redeliverAt !== null && state.redeliverAt <= now;
}
