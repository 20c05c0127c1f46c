import {
  DurableError,
  type IntentRecord,
  type SubmitRequest,
  type SubmitResult,
} from '@durable-api/core';
import { isTerminal } from '@durable-api/protocol';
import { unpackRecord } from '../intent-fields.ts';
import type { Session } from '../session.ts';
import { getRecord } from './get.ts';
import { findByKey, MAX_OWNERS, submitKeyed } from './keyed-submit.ts';
import { ownedLiveKey } from './live-key.ts';
import { packSubmit, type KeyedSubmit, type PackedSubmit } from './packed-submit.ts';
import { readReservation, reserve, settle } from './reservations.ts';

/**
 * Stores an intent that has a live key. The key is reserved like an idempotency key of another shard: see
 * `HOW_IT_WORKS.md`. Its owner counts only as long as it has the key and has not ended, which is looked
 * up, so that a key need not be freed by the write that ends its intent.
 */
export async function submitExclusive(
  session: Session,
  request: SubmitRequest,
): Promise<SubmitResult> {
  const submit = packSubmit(request);
  const { liveKey = '' } = request.record;
  const key = ownedLiveKey(liveKey);
  let replaces = '';
  for (let step = 0; step < MAX_OWNERS; step += 1) {
    const owner = await takeOver(session, { ...submit, key }, replaces);
    if (owner === null || owner === submit.id)
      return storeOwned(session, submit, key, owner === submit.id);
    const earlier =
      (submit.key === null ? null : await findByKey(session, submit.key)) ??
      (await getRecord(session, submit.id)) ??
      (await findBearer(session, liveKey, owner));
    if (earlier !== null) return { outcome: 'exists', record: earlier };
    replaces = owner;
  }
  throw new DurableError('store_unavailable', 'Too many submits compete for a live key.', {
    retryAfterSeconds: 1,
  });
}

/**
 * Finishes what the reservation of a live key keeps, on behalf of whoever made it. Null when its intent
 * does not bear the key: it lost by its idempotency key or its id, or has ended; the key is free again then.
 */
export async function finishExclusive(
  session: Session,
  reserved: KeyedSubmit,
): Promise<IntentRecord | null> {
  const { id, key } = reserved;
  const record = unpackRecord(id, reserved);
  const result = await submitOne(session, { ...reserved, key: record.idempotency?.key ?? null });
  const stored = result.outcome === 'exists' ? result.record : record;
  const isBearer = stored.id === id && bears(stored, key);
  await settle(session, [{ key, id, how: isBearer ? 'confirm' : 'release' }]);
  return isBearer ? stored : null;
}

/** Reserves a live key; gives null when that was done, else the id that owns it. */
async function takeOver(
  session: Session,
  submit: KeyedSubmit,
  replaces: string,
): Promise<string | null> {
  const [reserved] = await reserve(session, [{ submit, replaces }]);
  if (reserved === undefined) throw new Error('Redis left out a result.');
  if (reserved.status === 'rejected') throw reserved.reason;
  return reserved.value;
}

/** Stores the intent that owns its live key; `wasOwner` when it has before. */
async function storeOwned(
  session: Session,
  submit: PackedSubmit,
  key: string,
  wasOwner: boolean,
): Promise<SubmitResult> {
  const { id } = submit;
  const result = await submitOne(session, submit);
  const record = result.outcome === 'exists' ? result.record : null;
  const isBearer = record === null || (record.id === id && bears(record, key));
  const settled = settle(session, [{ key, id, how: isBearer ? 'confirm' : 'release' }]);
  if (isBearer) session.background(settled);
  // If it fails, whoever uses the key next finds that its owner does not bear it.
  else await Promise.allSettled([settled]);
  // Whoever found the reservation has stored the intent meanwhile; it is this one's all the same.
  return isBearer && !wasOwner ? { outcome: 'created' } : result;
}

/** The intent that has the live key, stored now if its own submit has not come to that; null when none has. */
async function findBearer(
  session: Session,
  liveKey: string,
  owner: string,
): Promise<IntentRecord | null> {
  const reserved = await readReservation(session, ownedLiveKey(liveKey));
  const record =
    reserved?.id === owner
      ? await finishExclusive(session, reserved)
      : await getRecord(session, owner);
  return record !== null && record !== undefined && bears(record, ownedLiveKey(liveKey))
    ? record
    : null;
}

/** Whether an intent has the live key that is kept as `key`, and has not ended. */
function bears({ liveKey, status }: IntentRecord, key: string): boolean {
  return liveKey !== undefined && ownedLiveKey(liveKey) === key && !isTerminal(status);
}

async function submitOne(session: Session, submit: PackedSubmit): Promise<SubmitResult> {
  const [result] = await submitKeyed(session, [submit]);
  if (result === undefined) throw new Error('Redis left out a result.');
  if (result.status === 'rejected') throw result.reason;
  return result.value;
}
