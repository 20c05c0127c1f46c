import { shardOf, type Session } from '../session.ts';
import { isKeyed, type KeyedSubmit, type PackedSubmit } from './packed-submit.ts';
import { reserve, settle, type Reserving, type Settling } from './reservations.ts';
import { storeIntents, type Stored, type Storing } from './store-intents.ts';

/** A submit to attempt. */
export interface SubmitAttempt {
  readonly submit: PackedSubmit;
  /** The owner of its idempotency key that may be replaced since it is gone; '' for none. */
  readonly replaces: string;
}

/**
 * Attempts to store intents. One without a key, or whose key is in its own shard, takes one script. One
 * whose key is in another shard takes three steps, each a script: reserve the key, store the intent,
 * confirm the reservation, the last of which nobody waits for. `HOW_IT_WORKS.md` shows why this is safe
 * wherever it stops.
 */
export async function attemptSubmits(
  session: Session,
  attempts: readonly SubmitAttempt[],
): Promise<PromiseSettledResult<Stored>[]> {
  const results: PromiseSettledResult<Stored>[] = [];
  const here: { index: number; storing: Storing }[] = [];
  const elsewhere: { index: number; reserving: Reserving }[] = [];
  for (const [index, { submit, replaces }] of attempts.entries()) {
    const { id } = submit;
    if (!isKeyed(submit)) here.push({ index, storing: { submit, claimsKeyFrom: null } });
    else if (shardOf(session, submit.key) === shardOf(session, id)) {
      here.push({ index, storing: { submit, claimsKeyFrom: replaces } });
    } else elsewhere.push({ index, reserving: { submit, replaces } });
  }
  const storeHere = async (): Promise<void> => {
    const stored = await storeIntents(
      session,
      here.map(({ storing }) => storing),
    );
    for (const [i, { index }] of here.entries()) results[index] = resultAt(stored, i);
  };
  const storeElsewhere = async (): Promise<void> => {
    const stored = await reserveAndStore(
      session,
      elsewhere.map(({ reserving }) => reserving),
    );
    for (const [i, { index }] of elsewhere.entries()) results[index] = resultAt(stored, i);
  };
  await Promise.all([storeHere(), storeElsewhere()]);
  return results;
}

/**
 * Finishes what a reservation keeps, on behalf of whoever made it: stores the intent, unless that has
 * been done, and ends the reservation. Null when the id turned out to be another intent's, so that the
 * key is free again.
 */
export async function finishReserved(
  session: Session,
  reserved: KeyedSubmit,
): Promise<Extract<Stored, { outcome: 'exists' | 'created' }> | null> {
  const [stored] = await storeIntents(session, [{ submit: reserved, claimsKeyFrom: null }]);
  if (stored === undefined) throw new Error('Redis left out a result.');
  if (stored.status === 'rejected') throw stored.reason;
  const { value } = stored;
  if (value.outcome === 'owned') throw new Error('A key was looked at that was not to be.');
  if (isForeign(value, reserved.key)) {
    await settle(session, [{ key: reserved.key, id: reserved.id, how: 'release' }]);
    return null;
  }
  session.background(settle(session, [{ key: reserved.key, id: reserved.id, how: 'confirm' }]));
  return value;
}

async function reserveAndStore(
  session: Session,
  items: readonly Reserving[],
): Promise<PromiseSettledResult<Stored>[]> {
  if (items.length === 0) return [];
  const reserved = await reserve(session, items);
  const results: PromiseSettledResult<Stored>[] = [];
  const mine: { index: number; submit: KeyedSubmit }[] = [];
  for (const [index, { submit }] of items.entries()) {
    const owner = resultAt(reserved, index);
    if (owner.status === 'rejected') results[index] = owner;
    else if (owner.value === null) mine.push({ index, submit });
    else results[index] = fulfilled({ outcome: 'owned', owner: owner.value });
  }
  const stored = await storeIntents(
    session,
    mine.map(({ submit }) => ({ submit, claimsKeyFrom: null })),
  );
  const confirmed: Settling[] = [];
  const released: Settling[] = [];
  for (const [i, { index, submit }] of mine.entries()) {
    const { id, key } = submit;
    const result = resultAt(stored, i);
    results[index] = result;
    if (result.status === 'rejected') continue;
    if (isForeign(result.value, key)) released.push({ key, id, how: 'release' });
    else {
      confirmed.push({ key, id, how: 'confirm' });
      // Whoever found the reservation may have stored the intent meanwhile; it is this one's all the same.
      results[index] = fulfilled({ outcome: 'created' });
    }
  }
  if (confirmed.length > 0) session.background(settle(session, confirmed));
  // If it fails, whoever uses the key next gives it up.
  if (released.length > 0) await Promise.allSettled([settle(session, released)]);
  return results;
}

/** Whether the id was there, as that of an intent which does not have this key. */
function isForeign(stored: Stored, key: string): boolean {
  return stored.outcome === 'exists' && stored.record.idempotency?.key !== key;
}

function fulfilled(value: Stored): PromiseSettledResult<Stored> {
  return { status: 'fulfilled', value };
}

function resultAt<Value>(
  results: readonly PromiseSettledResult<Value>[],
  index: number,
): PromiseSettledResult<Value> {
  const result = results[index];
  if (result === undefined) throw new Error('Redis left out a result.');
  return result;
}
