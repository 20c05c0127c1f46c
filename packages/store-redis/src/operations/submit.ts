import type { SubmitRequest, SubmitResult } from '@durable-api/core';
import type { Session } from '../session.ts';
import { submitExclusive } from './exclusive-submit.ts';
import { submitKeyed } from './keyed-submit.ts';
import { packSubmit } from './packed-submit.ts';

/**
 * Stores intents; those of one part of the data can fail while others do not. Of those with one key the
 * first is stored before the next is tried, so that it is the first that wins.
 */
export async function submit(
  session: Session,
  batch: readonly SubmitRequest[],
): Promise<PromiseSettledResult<SubmitResult>[]> {
  const isLater = findLater(batch);
  if (!isLater.includes(true)) return submitDistinct(session, batch);
  const first = await submitDistinct(
    session,
    batch.filter((_, i) => isLater[i] === false),
  );
  const later = await submit(
    session,
    batch.filter((_, i) => isLater[i] === true),
  );
  return isLater.map((late) => takeNext(late ? later : first));
}

/** Which requests have a key in common with one before them. */
function findLater(batch: readonly SubmitRequest[]): boolean[] {
  const keys = new Set<string>();
  const liveKeys = new Set<string>();
  return batch.map(({ record: { idempotency, liveKey } }) => {
    const key = idempotency?.key;
    const isLater =
      (key !== undefined && keys.has(key)) || (liveKey !== undefined && liveKeys.has(liveKey));
    if (key !== undefined) keys.add(key);
    if (liveKey !== undefined) liveKeys.add(liveKey);
    return isLater;
  });
}

async function submitDistinct(
  session: Session,
  batch: readonly SubmitRequest[],
): Promise<PromiseSettledResult<SubmitResult>[]> {
  const isExclusive = batch.map(({ record }) => record.liveKey !== undefined);
  if (!isExclusive.includes(true)) return submitKeyed(session, batch.map(packSubmit));
  const usual = batch.filter((_, i) => isExclusive[i] === false);
  const exclusive = batch.filter((_, i) => isExclusive[i] === true);
  const [keyed, others] = await Promise.all([
    submitKeyed(session, usual.map(packSubmit)),
    Promise.allSettled(exclusive.map((request) => submitExclusive(session, request))),
  ]);
  return isExclusive.map((is) => takeNext(is ? others : keyed));
}

function takeNext(
  results: PromiseSettledResult<SubmitResult>[],
): PromiseSettledResult<SubmitResult> {
  const result = results.shift();
  if (result === undefined) throw new Error('Redis left out a result.');
  return result;
}
