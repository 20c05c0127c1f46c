import { isTerminal } from '@durable-api/protocol';
import type { Engine } from '../engine/engine.ts';
import type { Operation } from '../engine/operation.ts';
import { DurableError } from '../errors.ts';
import { hashParts } from '../http/fingerprint.ts';
import type { IntentRecord } from '../state/intent.ts';
import type { Found } from '../store/store.ts';
import { WEBHOOK_OPERATION } from '../webhooks/delivery-input.ts';
import { earlierOf } from './earlier.ts';

/** The intent that a retry has made, now or, with the same key, before. */
export interface Retried {
  readonly record: IntentRecord;
  readonly isReplayed: boolean;
  /** True when another intent about the same thing is under way: `record` is that. */
  readonly isDeduplicated: boolean;
}

/**
 * Stores an intent that does again what `found`, read with its input, did not bring to a good end.
 * @throws DurableError `intent_not_retryable`
 */
export async function retryIntent(
  engine: Engine,
  operation: Operation,
  { record, input }: Found,
  key: string | null,
): Promise<Retried> {
  // What a webhook tells is the same each time, so its receiver can tell that it has it already.
  const isDelivery = record.operation === WEBHOOK_OPERATION;
  const isDone = record.status === 'COMPLETED' && !isDelivery;
  if (!isTerminal(record.status) || isDone || input === undefined) {
    const message = `It is ${record.status}: only what FAILED, TIMED_OUT or was CANCELED is retried.`;
    throw new DurableError('intent_not_retryable', message, { intentId: record.id });
  }
  const { id, owner, parentIntentId } = record;
  const idempotency =
    key === null
      ? null
      : { key: hashParts(['retry', owner, operation.name, id, key]), fingerprint: hashParts([id]) };
  await engine.opened();
  const submission = {
    operation,
    owner,
    idempotency,
    input,
    retriedFrom: id,
    // It tells of the same intent, while a child that is retried is nobody's.
    ...(isDelivery && parentIntentId !== undefined && { parentIntentId }),
    ...(record.liveKey !== undefined && { liveKey: record.liveKey }),
    ...(record.key !== undefined && { key: record.key }),
    ...(record.priority !== undefined && { priority: record.priority }),
  };
  const submitting = engine.prepare(submission);
  const stored = await submitting.store();
  if (stored.outcome === 'created')
    return { record: submitting.record, isReplayed: false, isDeduplicated: false };
  const isDeduplicated = earlierOf(stored.record, submission) === 'alike';
  return { record: stored.record, isReplayed: !isDeduplicated, isDeduplicated };
}
