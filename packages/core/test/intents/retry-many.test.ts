import { describe, expect, it } from 'vitest';
import type { RetriedMany, RetryManyOptions } from '../../src/intents/retry-many.ts';
import { NonRetryableError, type DurableError } from '../../src/errors.ts';
import { openBed, respond, type Bed } from '../support/bed.ts';

const NAME = 'reports.generate';

/** A bed with `count` intents that FAILED, a minute between them, and what mends the handler. */
async function broken(count: number) {
  let isMended = false;
  const bed = openBed(async () => {
    if (!isMended) throw new NonRetryableError('It is broken.');
    return respond();
  });
  const ids: string[] = [];
  for (let i = 0; i < count; i += 1) {
    await bed.clock.advance(60_000);
    const owner = i % 2 === 0 ? 'even' : 'odd';
    const { record } = await bed.clock.resolve(bed.api.intents.submit(NAME, {}, { owner }));
    ids.push(record.id);
    await bed.clock.until(() => bed.data.entries.get(record.id)?.record.status === 'FAILED');
  }
  return { bed, ids, mend: () => (isMended = true) };
}

const retry = (bed: Bed, options: RetryManyOptions = {}): Promise<RetriedMany> =>
  bed.clock.resolve(bed.api.intents.retryMany(options));

const fromOf = ({ retried }: RetriedMany): string[] => retried.map(({ from }) => from);

describe('a retry of many', () => {
  it('retries each once, newest first, in bounded calls that go on where the last has left off', async () => {
    const { bed, ids, mend } = await broken(5);
    mend();
    const first = await retry(bed, { limit: 2 });
    expect(fromOf(first)).toEqual([ids[4], ids[3]]);
    expect(first).toMatchObject({ found: 2, next: ids[3] });
    const second = await retry(bed, { limit: 2, before: first.next ?? undefined });
    expect(fromOf(second)).toEqual([ids[2], ids[1]]);
    const third = await retry(bed, { limit: 2, before: second.next ?? undefined });
    expect(fromOf(third)).toEqual([ids[0]]);
    expect(third.next).toBeNull();
    await bed.clock.advance(1_000);
    for (const { from, record, isNew } of [first, second, third].flatMap((each) => each.retried)) {
      expect(isNew).toBe(true);
      const { record: now } = bed.data.entries.get(record.id) ?? {};
      expect(now).toMatchObject({ status: 'COMPLETED', retriedFrom: from });
    }
    expect(bed.data.entries.size).toBe(10);
  });

  it('makes no second one however often it is called, also at once', async () => {
    const { bed, ids } = await broken(3);
    const calls = [1, 2, 3].map(() => bed.api.intents.retryMany());
    const all = await bed.clock.resolve(Promise.all(calls));
    const made = all.flatMap(({ retried }) => retried).filter(({ isNew }) => isNew);
    expect(made.map(({ from }) => from).toSorted()).toEqual(ids);
    await bed.clock.advance(1_000);
    // The retries have failed too: they are retried, and what they do again is not.
    const again = await retry(bed);
    const fresh = again.retried.filter(({ isNew }) => isNew).map(({ from }) => from);
    expect(fresh.toSorted()).toEqual(made.map(({ record }) => record.id).toSorted());
    expect(again.found).toBe(6);
  });

  it('counts only, on a dry run', async () => {
    const { bed } = await broken(3);
    expect(await retry(bed, { dryRun: true })).toEqual({ found: 3, retried: [], next: null });
    expect(bed.data.entries.size).toBe(3);
  });

  it('goes by owner, operation, and when it was submitted', async () => {
    const { bed, ids } = await broken(4);
    const dry = async (options: RetryManyOptions): Promise<number> =>
      (await retry(bed, { dryRun: true, ...options })).found;
    expect(await dry({ owner: 'odd' })).toBe(2);
    expect(await dry({ operation: 'other' })).toBe(0);
    const createdAt = (i: number): number =>
      bed.data.entries.get(ids[i] ?? '')?.record.createdAt ?? NaN;
    expect(await dry({ since: createdAt(1) })).toBe(3);
    expect(await dry({ since: new Date(createdAt(1) + 1) })).toBe(2);
    expect(await dry({ until: createdAt(1) })).toBe(1);
    expect(await dry({ until: new Date(createdAt(1) + 1).toISOString() })).toBe(2);
    expect(await dry({ since: createdAt(1), until: createdAt(3) })).toBe(2);
  });

  it('takes what was canceled only when it is asked for', async () => {
    const { bed } = await broken(1);
    const work = bed.api.intents.submit(NAME, {}, { startAfterMs: 60_000 });
    const { record } = await bed.clock.resolve(work);
    await bed.clock.resolve(bed.api.intents.cancel(record.id));
    expect((await retry(bed, { dryRun: true })).found).toBe(1);
    expect((await retry(bed, { dryRun: true, statuses: ['CANCELED'] })).found).toBe(1);
    expect(fromOf(await retry(bed, { statuses: ['CANCELED'] }))).toEqual([record.id]);
  });

  it('refuses bounds that are no instants', async () => {
    const { bed } = await broken(0);
    const code = await retry(bed, { since: 'yesterday' }).catch((e: DurableError) => e.code);
    expect(code).toBe('options_invalid');
  });
});
