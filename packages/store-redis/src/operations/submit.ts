import {
  DurableError,
  type IntentRecord,
  type SubmitRequest,
  type SubmitResult,
} from '@durable-api/core';
import { unpackRecord } from '../intent-fields.ts';
import type { Session } from '../session.ts';
import { attemptSubmits, finishReserved } from './attempt-submit.ts';
import { getRecord } from './get.ts';
import { packSubmit, type PackedSubmit } from './packed-submit.ts';
import { readReservation } from './reservations.ts';

/** How often a submit follows its key from owner to owner. Each time, another submit has got ahead. */
const MAX_OWNERS = 16;

/**
 * Stores intents; those of one part of the data can fail while others do not. Of those with one key the
 * first is stored before the next is tried, so that it is the first that wins.
 */
export async function submit(
  session: Session,
  batch: readonly SubmitRequest[],
): Promise<PromiseSettledResult<SubmitResult>[]> {
  const keys = batch.map(({ record }) => record.idempotency?.key);
  const isLater = keys.map((key, i) => key !== undefined && keys.indexOf(key) < i);
  if (!isLater.includes(true)) return submitDistinct(session, batch);
  const first = await submitDistinct(
    session,
    batch.filter((_, i) => isLater[i] === false),
  );
  const later = await submit(
    session,
    batch.filter((_, i) => isLater[i] === true),
  );
  return isLater.map((late): PromiseSettledResult<SubmitResult> => {
    const result = late ? later.shift() : first.shift();
    if (result === undefined) throw new Error('Redis left out a result.');
    return result;
  });
}

async function submitDistinct(
  session: Session,
  batch: readonly SubmitRequest[],
): Promise<PromiseSettledResult<SubmitResult>[]> {
  const packed = batch.map(packSubmit);
  const stored = await attemptSubmits(
    session,
    packed.map((each) => ({ submit: each, replaces: '' })),
  );
  return Promise.all(
    packed.map(async (each, i): Promise<PromiseSettledResult<SubmitResult>> => {
      const result = stored[i];
      if (result === undefined) throw new Error('Redis left out a result.');
      if (result.status === 'rejected') return result;
      const { value } = result;
      if (value.outcome !== 'owned') return { status: 'fulfilled', value };
      const [followed] = await Promise.allSettled([followKey(session, each, value.owner)]);
      return followed;
    }),
  );
}

/** Finds the intent that has the key, or stores the newcomer when there is none any more. */
async function followKey(
  session: Session,
  newcomer: PackedSubmit,
  firstOwner: string,
): Promise<SubmitResult> {
  let owner = firstOwner;
  for (let step = 0; step < MAX_OWNERS; step += 1) {
    const record = await findOwner(session, newcomer.key ?? '', owner);
    if (record !== null) return { outcome: 'exists', record };
    const [stored] = await attemptSubmits(session, [{ submit: newcomer, replaces: owner }]);
    if (stored === undefined) throw new Error('Redis left out a result.');
    if (stored.status === 'rejected') throw stored.reason;
    if (stored.value.outcome !== 'owned') return stored.value;
    owner = stored.value.owner;
  }
  throw new DurableError('store_unavailable', 'Too many submits compete for an idempotency key.', {
    retryAfterSeconds: 1,
  });
}

/** The intent that a key belongs to, stored now if its own submit has not come to that. */
async function findOwner(
  session: Session,
  key: string,
  owner: string,
): Promise<IntentRecord | null> {
  const reserved = await readReservation(session, key);
  if (reserved?.id !== owner) {
    const record = await getRecord(session, owner);
    return record?.idempotency?.key === key ? record : null;
  }
  const finished = await finishReserved(session, reserved);
  if (finished === null) return null;
  return finished.outcome === 'exists' ? finished.record : unpackRecord(owner, reserved);
}
