import { DurableError, type IntentRecord, type SubmitResult } from '@durable-api/core';
import { unpackRecord } from '../intent-fields.ts';
import { shardOf, type Session } from '../session.ts';
import { attemptSubmits, finishReserved } from './attempt-submit.ts';
import { getRecord } from './get.ts';
import type { PackedSubmit } from './packed-submit.ts';
import { readReservation } from './reservations.ts';

/** How often a submit follows its key from owner to owner. Each time, another submit has got ahead. */
export const MAX_OWNERS = 16;

/** Stores intents whose keys all differ; of live keys nothing is looked at. */
export async function submitKeyed(
  session: Session,
  packed: readonly PackedSubmit[],
): Promise<PromiseSettledResult<SubmitResult>[]> {
  if (packed.length === 0) return [];
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

/** The intent that an idempotency key belongs to; null when it is free. */
export async function findByKey(session: Session, key: string): Promise<IntentRecord | null> {
  const { tag, keyOwner } = shardOf(session, key);
  const owner = await session.connection.call(tag, (client) => client.get(keyOwner(key)));
  return owner === null ? null : findOwner(session, key, owner);
}
