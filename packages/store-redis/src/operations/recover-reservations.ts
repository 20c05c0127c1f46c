import type { Session } from '../session.ts';
import { finishReserved } from './attempt-submit.ts';
import { finishExclusive } from './exclusive-submit.ts';
import { isOwnedLiveKey } from './live-key.ts';
import { findAbandoned, readReservation } from './reservations.ts';

/** Age from which on a reservation counts as abandoned: no submit takes that long. In ms. */
const ABANDONED_MS = 30_000;
/** How many of one shard are finished in one go. */
const LIMIT = 100;

/**
 * Finishes the submits of processes that ended between the reserving of an idempotency key and its
 * confirming. Whoever uses such a key again does this at once; here it is done for keys that nobody
 * uses again, so that their reservations do not stay for ever.
 */
export async function recoverReservations(session: Session): Promise<void> {
  const finished = session.shards.map(async (shard) => {
    for (const key of await findAbandoned(session, shard, ABANDONED_MS, LIMIT)) {
      const reserved = await readReservation(session, key);
      if (reserved === null) continue;
      if (isOwnedLiveKey(key)) await finishExclusive(session, reserved);
      else await finishReserved(session, reserved);
    }
  });
  await Promise.all(finished);
}
