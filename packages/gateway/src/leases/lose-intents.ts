import { isTerminal } from '@durable-api/protocol';
import { canonicalAddress } from '../addresses/address.ts';
import { mailboxOf } from '../agents/hand-on.ts';
import type { GatewayCore } from '../gateway-core.ts';
import { agentOf, SETTLE_MS, type AxpIntent } from '../intents/intent-state.ts';
import { Draft } from '../lifecycle/draft.ts';

/** How many intents one look takes. */
const PAGE = 64;

/** Has all that is held by a lease sent again. */
export async function loseAll(
  core: GatewayCore,
  address: string,
  leaseId: string,
  reason: string,
): Promise<void> {
  const entries = await mailboxOf(core, address).after(0);
  for (let i = 0; i < entries.length; i += PAGE) {
    const ids = entries.slice(i, i + PAGE).map((entry) => entry.intentId);
    const found = await core.store.find(ids);
    const held = found.flatMap((one) => (one !== null && isHeldBy(one, leaseId) ? one : []));
    await Promise.all(held.map((one) => loseOne(core, one, reason)));
  }
}

/** Whether the intent is under way under this lease. */
export function isHeldBy({ record, state }: AxpIntent, leaseId: string): boolean {
  return !isTerminal(record.status) && state.lease === leaseId;
}

/** Has an intent sent again whose agent works on it no more. */
export async function loseOne(core: GatewayCore, intent: AxpIntent, reason: string): Promise<void> {
  const { envelope, state } = intent;
  // Before it is in the mailbox: an agent that listens passes over what another one holds. If this is cut
  // short between the two, it is put there when it is due.
  const lost = await core.store.change(intent, (one) =>
    isTerminal(one.record.status) || one.state.lease !== state.lease
      ? null
      : lose(one, reason, core.ledger.now()),
  );
  if (lost === null || isTerminal(lost.intent.record.status)) return;
  const { id, attempt } = lost.intent.record;
  await mailboxOf(core, envelope.to).add({ intentId: id, attempt: attempt + 1 });
}

/** Nobody works on it any more: it waits for its agent, or that was the last time. */
function lose(intent: AxpIntent, reason: string, now: number): Draft {
  const { record, envelope } = intent;
  const { attempt } = record;
  const draft = new Draft(intent, now)
    .patch({ lease: null, redeliverAt: null })
    .event('delivery_failed', record.status, { details: { delivery_attempt: attempt, reason } });
  if (attempt < envelope.maxDeliveryAttempts || reason === 'released') {
    draft.patch({ redeliverAt: now + SETTLE_MS });
    return draft.wait('WAITING_FOR_AGENT', agentOf(envelope.toAgent, envelope.to));
  }
  const message = `${canonicalAddress(envelope.to)} was lost in each of ${attempt} deliveries`;
  return draft.end('FAILED', { error: { code: 'delivery_failed', message } }, 'gateway');
}
