import type { Claimed } from '@durable-api/core';
import { FOREVER_AT, isTerminal } from '@durable-api/protocol';
import { mailboxOf } from '../agents/hand-on.ts';
import type { GatewayCore } from '../gateway-core.ts';
import { isMissed, missDelivery } from '../lifecycle/delivery.ts';
import { timeOut } from '../lifecycle/ending.ts';
import { advance } from '../scenarios/advance.ts';
import { isReminderDue, remind } from '../lifecycle/reminding.ts';
import { workOn } from '../operations/work-on.ts';
import { isForOperation, type AxpIntent } from './intent-state.ts';

/** The longest time until an intent is looked at again, in ms. */
const MAX_SNOOZE_MS = 30 * 24 * 3_600_000;
/** The same for one whose agent is cut off, and whose delivery waits for that to end. */
const CUT_OFF_MS = 30_000;
/** The longest time until an operation is looked at again that works on one, in ms. */
const MAX_OPERATION_LOOK_MS = 3_600_000;

function isWaking({ state }: AxpIntent, now: number): boolean {
  return state.isOperationEnded || (state.wakeAt !== null && state.wakeAt <= now);
}

/** Sees to an intent whose deadline, delivery, reminder or step is due. */
export async function seeToIntent(core: GatewayCore, { record }: Claimed): Promise<void> {
  const [intent] = await core.store.find([record.id]);
  if (intent === null || intent === undefined || isTerminal(intent.record.status)) return;
  const now = core.ledger.now();
  await core.kills.open();
  const isCutOff = core.kills.isKilled(intent.envelope.to);
  const { deadlineAt } = intent.record;
  if (deadlineAt !== null && deadlineAt <= now) {
    await core.store.change(intent, (one) =>
      isTerminal(one.record.status) ? null : timeOut(one, core.ledger.now()),
    );
  } else if (isMissed(intent, now)) {
    if (!isCutOff) await redeliver(core, intent);
  } else if (isWaking(intent, now)) {
    if (isForOperation(intent.envelope)) await workOn(core, record.id);
    else await advance(core, record.id);
  } else if (isReminderDue(intent, now)) await remindAgent(core, intent);
  // Nothing is due, or what was due is not written on the intent.
  const [left] = await core.ledger.get({ ids: [record.id] });
  if (left !== undefined && left.record.holder !== null && left.record.lease === record.lease) {
    const delayMs = snoozeMs(intent, now);
    await core.ledger.snooze(record, isCutOff ? Math.min(CUT_OFF_MS, delayMs) : delayMs);
  }
}

async function redeliver(core: GatewayCore, intent: AxpIntent): Promise<void> {
  const { record, envelope } = intent;
  const mailbox = mailboxOf(core, envelope.to);
  const attempt = record.attempt + 1;
  // Before the intent is changed, so that one which is cut short is done again.
  // One that waits was given back, which its agent is not to blame for.
  if (attempt <= envelope.maxDeliveryAttempts || record.status === 'WAITING') {
    await mailbox.add({ intentId: record.id, attempt });
  }
  // One that was never sent is as it was; whoever created it may not have handed it on.
  if (record.status === 'SUBMITTED') return;
  await core.store.change(intent, (one) => {
    const now = core.ledger.now();
    const isSame = one.record.attempt === record.attempt && one.record.status === 'DELIVERED';
    return isSame && isMissed(one, now) ? missDelivery(one, now) : null;
  });
}

async function remindAgent(core: GatewayCore, intent: AxpIntent): Promise<void> {
  const changed = await core.store.change(intent, (one) => {
    const now = core.ledger.now();
    const isDue = !isTerminal(one.record.status) && isReminderDue(one, now);
    return isDue ? remind(one, core.home, now) : null;
  });
  const { pendingWith, isEscalated } = changed?.intent.state ?? {};
  if (isEscalated !== true || pendingWith?.type !== 'agent') return;
  const address = pendingWith.ref.replace(/^agent:\/\//, '');
  await mailboxOf(core, address).add({
    intentId: intent.record.id,
    attempt: intent.record.attempt,
  });
}

function snoozeMs({ record, state, envelope }: AxpIntent, now: number): number {
  // What is due already has been seen to, as far as it can be.
  const later = [record.deadlineAt, state.redeliverAt, state.wakeAt, state.remindAt].filter(
    (at) => at !== null && at > now,
  );
  const lookMs = isForOperation(envelope) ? operationLookMs(record.lease) : lookMsOf(record.lease);
  const next = Math.min(FOREVER_AT, ...later.map((at) => at ?? FOREVER_AT), now + lookMs);
  return Math.max(1_000, Math.min(MAX_SNOOZE_MS, next - now));
}

/** Later and later: what waits for nothing but a wake-up is looked at for the sake of a lost one. */
function lookMsOf(lease: number): number {
  return Math.min(MAX_SNOOZE_MS, 60_000 * 4 ** Math.min(lease, 8));
}

/** The same for an operation, which may have ended while nobody was there to say so. */
function operationLookMs(lease: number): number {
  return Math.min(MAX_OPERATION_LOOK_MS, 15_000 * 2 ** Math.min(lease, 8));
}
