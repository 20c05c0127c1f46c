import {
  DRIVEN_NOTE,
  HandlerFault,
  isDurableError,
  valueOf,
  type IntentRecord,
} from '@durable-api/core';
import { isTerminal } from '@durable-api/protocol';
import type { GatewayCore } from '../gateway-core.ts';
import type { AxpIntent } from '../intents/intent-state.ts';
import { Draft } from '../lifecycle/draft.ts';
import { endOfOperation } from './end-of-operation.ts';
import { operationRef } from './operation-ref.ts';

/**
 * Has an operation work on an intent, and ends it when that has ended. Any number of processes may do so at
 * once, and again: the operation's intent has its id from the delivery on, and its end makes the other due.
 */
export async function workOn(core: GatewayCore, id: string): Promise<void> {
  const { store, ledger } = core;
  let intent = await store.get(id);
  if (isTerminal(intent.record.status)) return;
  const { name = '' } = intent.envelope.operation ?? {};
  if (intent.record.status === 'SUBMITTED') {
    await core.kills.open();
    // It is tried again, as with agents that are cut off.
    if (core.kills.isKilled(intent.envelope.to)) return;
    if (!core.operations.has(name)) throw new Error(`Operation "${name}" is not declared here.`);
    const ownId = ledger.newIdOf(name);
    // The note is there before the child, so that its end is always heard of.
    const notes = [DRIVEN_NOTE];
    await store.change(intent, (one) => deliver(one, ownId, ledger.now()), undefined, notes);
    intent = await store.get(id);
  }
  const own = await ownIntent(core, intent);
  if (own === null) return;
  const begun = await store.change(intent, (one) => begin(one, own.id, ledger.now()));
  intent = begun?.intent ?? (await store.get(id));
  // It may have been ended by somebody else before its operation began.
  if (isTerminal(intent.record.status)) await cancel(core, own.id);
  else if (isTerminal(own.status)) await end(core, intent, own);
}

/** Ends the operation's intent of one that somebody else has ended. */
export async function cancelWork(core: GatewayCore, { state }: AxpIntent): Promise<void> {
  if (state.operationIntent !== null) await cancel(core, state.operationIntent.id);
}

/** The operation's intent as it is; null when there is none, and the intent has ended or failed. */
async function ownIntent(core: GatewayCore, intent: AxpIntent): Promise<IntentRecord | null> {
  const { operations, ledger } = core;
  const { record, envelope, state } = intent;
  const { operation = null } = envelope;
  if (operation === null || state.operationIntent === null || isTerminal(record.status))
    return null;
  const { id, hasBegun } = state.operationIntent;
  const known = await operations.get(id);
  if (known !== null) return known;
  if (hasBegun) {
    const message = 'The intent of the operation is gone.';
    return fail(core, intent, { code: 'delivery_failed', message });
  }
  const { name, owner } = operation;
  if (!operations.has(name)) throw new Error(`Operation "${name}" is not declared here.`);
  try {
    const { deadlineAt } = record;
    const child = { id, operation: name, owner, parentIntentId: record.id, deadlineAt };
    await ledger.startChild({ ...child, body: envelope.payload });
    return await operations.get(id);
  } catch (error) {
    // What the operation does not take it will not take later either.
    if (!(error instanceof HandlerFault)) throw error;
    return fail(core, intent, { code: 'schema_invalid', message: error.message });
  }
}

async function fail(
  core: GatewayCore,
  intent: AxpIntent,
  error: { readonly code: string; readonly message: string },
): Promise<null> {
  await core.store.change(intent, (one) =>
    isTerminal(one.record.status)
      ? null
      : new Draft(one, core.ledger.now()).end('FAILED', { error }, 'gateway'),
  );
  return null;
}

async function end(core: GatewayCore, intent: AxpIntent, own: IntentRecord): Promise<void> {
  const result = own.status === 'COMPLETED' ? await core.operations.result(own.id) : null;
  const answer = result === null ? null : { status: result.status, value: valueOf(result) };
  await core.store.change(intent, (one) =>
    isTerminal(one.record.status)
      ? null
      : endOfOperation(new Draft(one, core.ledger.now()), own, answer),
  );
}

async function cancel({ operations }: GatewayCore, id: string): Promise<void> {
  const reason = 'The intent that it worked on ended.';
  try {
    await operations.cancel(id, { actor: 'gateway', reason });
  } catch (error) {
    const isOver =
      isDurableError(error) && ['intent_terminal', 'intent_not_found'].includes(error.code);
    if (!isOver) throw error;
  }
}

function deliver(intent: AxpIntent, id: string, now: number): Draft | null {
  if (intent.record.status !== 'SUBMITTED') return null;
  const { name = '' } = intent.envelope.operation ?? {};
  const pendingWith = { type: 'internal', ref: operationRef(name), name } as const;
  const details = { delivery_attempt: 1, operation: name, operation_intent_id: id };
  return new Draft(intent, now)
    .attempt(1)
    .patch({ pendingWith, operationIntent: { id, hasBegun: false } })
    .event('delivered', 'DELIVERED', { details });
}

function begin(intent: AxpIntent, id: string, now: number): Draft | null {
  const { operationIntent, pendingWith } = intent.state;
  if (operationIntent?.hasBegun !== false || isTerminal(intent.record.status)) return null;
  const actor = pendingWith?.ref ?? 'gateway';
  const details = { operation_intent_id: id };
  return new Draft(intent, now)
    .patch({ operationIntent: { id, hasBegun: true } })
    .event('in_progress', 'IN_PROGRESS', { actor, details });
}
