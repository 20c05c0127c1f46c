import { describe, expect, it } from 'vitest';
import { memoryData, memoryStore } from '../../src/store/memory-store.ts';
import type { OperationOptions } from '../../src/options.ts';
import { aroundStore } from '../support/around-store.ts';
import { jsonOf, openBed, plainRequest, type Bed } from '../support/bed.ts';
import { callAt, gatedHandler } from '../support/gate.ts';
import { VirtualClock } from '../support/virtual-clock.ts';

const byTenant: OperationOptions<string> = { key: (tenant) => tenant };

const recordOf = (bed: Bed, id: string) => {
  const entry = bed.data.entries.get(id);
  if (entry === undefined) throw new Error('The intent is gone.');
  return entry.record;
};
const submitFor = (bed: Bed, tenant: string): Promise<string> => bed.submit({ source: tenant });
const statuses = (bed: Bed, ids: readonly string[]): string[] =>
  ids.map((id) => recordOf(bed, id).status);
const until = (bed: Bed, done: () => boolean): Promise<void> => bed.clock.until(done, 1_000);

describe('a limit per key', () => {
  it('holds the next intent of a key back until one of it ends, and no other key', async () => {
    const { calls, handler } = gatedHandler();
    const operation = { ...byTenant, concurrency: { perKey: 1 } };
    const bed = openBed(handler, { operation });
    const ids: string[] = [];
    for (const tenant of ['a', 'a', 'a', 'b']) ids.push(await submitFor(bed, tenant));
    await until(bed, () => calls.length === 2);
    await bed.clock.advance(60_000);
    expect(statuses(bed, ids)).toEqual(['IN_PROGRESS', 'SUBMITTED', 'SUBMITTED', 'IN_PROGRESS']);
    callAt(calls, 0).respond();
    await until(bed, () => calls.length === 3);
    expect(statuses(bed, ids)).toEqual(['COMPLETED', 'IN_PROGRESS', 'SUBMITTED', 'IN_PROGRESS']);
    callAt(calls, 2).respond();
    callAt(calls, 1).respond();
    await until(bed, () => calls.length === 4);
    callAt(calls, 3).respond();
    await until(bed, () => statuses(bed, ids).every((status) => status === 'COMPLETED'));
  });

  it('is one for all intents of an operation without a key', async () => {
    const { calls, handler } = gatedHandler();
    const bed = openBed(handler, { operation: { concurrency: { perKey: 2 } } });
    for (let i = 0; i < 5; i += 1) await bed.submit();
    await until(bed, () => calls.length === 2);
    await bed.clock.advance(60_000);
    expect(calls).toHaveLength(2);
    callAt(calls, 1).respond();
    await until(bed, () => calls.length === 3);
  });

  it('asks the store no more often while a key is full than leases are renewed', async () => {
    const { calls, handler } = gatedHandler();
    let claims = 0;
    const data = memoryData();
    const store = aroundStore(memoryStore(data), (method, call) => {
      if (method === 'claim') claims += 1;
      return call();
    });
    const operation = { ...byTenant, concurrency: { perKey: 1 } };
    const bed = openBed(handler, { data, store, operation, leaseMs: 15_000 });
    for (let i = 0; i < 10; i += 1) await submitFor(bed, 'a');
    await until(bed, () => calls.length === 1);
    claims = 0;
    await bed.clock.advance(150_000);
    expect(claims).toBeLessThanOrEqual(15);
  });

  it('gives the place of an intent that sleeps to another', async () => {
    const slept: string[] = [];
    const bed = openBed(
      async (_, { sleep, intentId }) => {
        await sleep(3_600_000);
        slept.push(intentId);
        return { status: 200, headers: {}, body: new Uint8Array() };
      },
      { operation: { ...byTenant, concurrency: { perKey: 1 } } },
    );
    const ids = [await submitFor(bed, 'a'), await submitFor(bed, 'a')];
    await until(bed, () => statuses(bed, ids).every((status) => status === 'WAITING'));
    await bed.clock.until(() => slept.length === 2, 3_700_000);
  });

  it('is held though another process claims, and hears at once of a place that is free', async () => {
    const data = memoryData();
    const clock = new VirtualClock();
    const { calls, handler } = gatedHandler();
    const operation = { ...byTenant, concurrency: { perKey: 1 } };
    const one = openBed(handler, { data, clock, operation, concurrency: 1 });
    const two = openBed(handler, { data, clock, operation, store: memoryStore(data) });
    await two.api.ready();
    const ids: string[] = [];
    for (let i = 0; i < 6; i += 1) ids.push(await submitFor(one, 'a'));
    for (let done = 0; done < 6; done += 1) {
      await clock.until(() => calls.length === done + 1, 1_000);
      await clock.advance(5_000);
      expect(calls).toHaveLength(done + 1);
      callAt(calls, done).respond();
    }
    await until(two, () => statuses(one, ids).every((status) => status === 'COMPLETED'));
  });

  it('ends what misses its deadline while its key is full', async () => {
    const { calls, handler } = gatedHandler();
    const operation = { ...byTenant, concurrency: { perKey: 1 }, deadlineMs: 60_000 };
    const bed = openBed(handler, { operation });
    await submitFor(bed, 'a');
    await until(bed, () => calls.length === 1);
    await bed.clock.advance(30_000);
    callAt(calls, 0).respond();
    await submitFor(bed, 'a');
    await until(bed, () => calls.length === 2);
    const late = await submitFor(bed, 'a');
    await bed.clock.advance(60_001);
    expect(recordOf(bed, late).status).toBe('TIMED_OUT');
  });
});

describe('a rate limit', () => {
  it('starts as many attempts of a key in a period, and the next right after it', async () => {
    const { calls, handler } = gatedHandler();
    const operation = { ...byTenant, rateLimit: { limit: 2, periodMs: 10_000 } };
    const bed = openBed(handler, { operation });
    for (let i = 0; i < 5; i += 1) await submitFor(bed, 'a');
    await submitFor(bed, 'b');
    await until(bed, () => calls.length === 3);
    for (const call of calls) call.respond();
    await bed.clock.advance(9_900);
    expect(calls).toHaveLength(3);
    await bed.clock.advance(200);
    expect(calls).toHaveLength(5);
    await bed.clock.advance(9_700);
    expect(calls).toHaveLength(5);
    await bed.clock.advance(400);
    expect(calls).toHaveLength(6);
  });
});

describe('turns', () => {
  it('go round the keys, so that one with many does not hold up another', async () => {
    const { calls, handler } = gatedHandler();
    const bed = openBed(handler, { operation: byTenant, concurrency: 1 });
    const many = [];
    for (let i = 0; i < 20; i += 1) many.push(await submitFor(bed, 'a'));
    await until(bed, () => calls.length === 1);
    const one = await submitFor(bed, 'b');
    callAt(calls, 0).respond();
    await until(bed, () => calls.length === 2);
    callAt(calls, 1).respond();
    await until(bed, () => calls.length === 3);
    expect([callAt(calls, 1), callAt(calls, 2)].map(({ context }) => context.intentId)).toContain(
      one,
    );
  });

  it('go to the higher priority first', async () => {
    const { calls, handler } = gatedHandler();
    const operation = { priority: (source: string) => Number(source) };
    const bed = openBed(handler, { operation, concurrency: 1 });
    await bed.submit({ source: '0' });
    await until(bed, () => calls.length === 1);
    const ids = new Map<string, string>();
    for (const source of ['-5', '0', '100', '7']) ids.set(await bed.submit({ source }), source);
    const order = [];
    for (let i = 0; i < 4; i += 1) {
      callAt(calls, i).respond();
      await until(bed, () => calls.length === i + 2);
      order.push(ids.get(callAt(calls, i + 1).context.intentId));
    }
    expect(order).toEqual(['100', '7', '0', '-5']);
  });

  it('are shared by operations with and without keys', async () => {
    const { calls, handler } = gatedHandler();
    const bed = openBed(handler, { operation: byTenant, concurrency: 1 });
    const plain = gatedHandler();
    bed.api.declare({ name: 'plain', run: plain.handler, compose: () => ({}) });
    for (let i = 0; i < 6; i += 1) {
      await submitFor(bed, 'a');
      await bed.api.intents.submit('plain');
    }
    let ended = 0;
    const step = async (): Promise<void> => {
      await until(bed, () => calls.length + plain.calls.length === ended + 1);
      for (const call of [...calls, ...plain.calls]) call.respond();
      ended += 1;
    };
    for (let i = 0; i < 6; i += 1) await step();
    expect(calls.length).toBeGreaterThanOrEqual(2);
    expect(plain.calls.length).toBeGreaterThanOrEqual(2);
  });
});

describe('concurrency.perProcess', () => {
  it.each([{}, byTenant])(
    'bounds the handlers of one operation in the process (%o)',
    async (keyed) => {
      const { calls, handler } = gatedHandler();
      const bed = openBed(handler, { operation: { ...keyed, concurrency: { perProcess: 2 } } });
      const replies = Array.from({ length: 9 }, (_, i) =>
        bed.api.handle(bed.operation, plainRequest('POST', '/', { source: `tenant-${i}` })),
      );
      await bed.clock.resolve(Promise.all(replies));
      for (let ended = 0; ended < 9; ended += 1) {
        await until(bed, () => calls.length === Math.min(9, ended + 2));
        await bed.clock.advance(1_000);
        expect(calls.length).toBe(Math.min(9, ended + 2));
        callAt(calls, ended).respond();
      }
    },
  );

  it('leaves the rest of the process to other operations', async () => {
    const { calls, handler } = gatedHandler();
    const bed = openBed(handler, {
      operation: { concurrency: { perProcess: 1 } },
      concurrency: 10,
    });
    const other = gatedHandler();
    bed.api.declare({ name: 'other', run: other.handler, compose: () => ({}) });
    for (let i = 0; i < 5; i += 1) await bed.submit();
    for (let i = 0; i < 5; i += 1) await bed.api.intents.submit('other');
    await until(bed, () => other.calls.length === 5);
    expect(calls).toHaveLength(1);
  });
});

describe('what was stored by other options', () => {
  it.each([
    ['with a key, when its operation has none now', byTenant, {}],
    ['without a key, when its operation has one now', {}, byTenant],
  ])('runs all the same: %s', async (_what, before, after) => {
    const data = memoryData();
    const clock = new VirtualClock();
    const { calls, handler } = gatedHandler();
    const shared = () => aroundStore(memoryStore(data), (_m, call) => call(), { shared: true });
    const front = openBed(handler, {
      data,
      clock,
      store: shared(),
      worker: false,
      operation: before,
    });
    await submitFor(front, 'a');
    openBed(handler, { data, clock, store: shared(), operation: after });
    await clock.until(() => calls.length === 1, 1_000);
    await submitFor(front, 'a');
    await clock.until(() => calls.length === 2, 61_000);
  });
});

describe('the key of a request', () => {
  it.each([
    ['undefined', () => undefined],
    ['an empty text', () => ''],
    ['a number', () => 7],
    ['more than 200 characters', () => 'x'.repeat(201)],
    ['a control character', () => 'a\nb'],
    ['half of a surrogate pair', () => '\ud800'],
  ])('that is %s is answered 400', async (_what, key) => {
    const { handler } = gatedHandler();
    // @ts-expect-error -- what callers without types may do
    const bed = openBed(handler, { operation: { key } });
    const reply = await bed.handle('POST', '/');
    expect(reply.status).toBe(400);
    expect(jsonOf(reply)).toMatchObject({ code: 'operation_key_invalid' });
    expect(bed.data.entries.size).toBe(0);
  });

  it('may be promised, and is kept by a retry', async () => {
    const { calls, handler } = gatedHandler();
    const operation = { key: async (tenant: string) => tenant, priority: 3, retries: 0 };
    const bed = openBed(handler, { operation });
    const id = await submitFor(bed, 'tenant-a');
    await until(bed, () => calls.length === 1);
    callAt(calls, 0).fail(new Error('Boom.'));
    await until(bed, () => recordOf(bed, id).status === 'FAILED');
    const { record } = await bed.api.intents.retry(id);
    expect(record).toMatchObject({ key: 'tenant-a', priority: 3, retriedFrom: id });
  });

  it('whose function throws is a 500, and nothing is stored', async () => {
    const { handler } = gatedHandler();
    const key = (): string => {
      throw new TypeError('No body.');
    };
    const bed = openBed(handler, { operation: { key } });
    expect((await bed.handle('POST', '/')).status).toBe(500);
    expect(bed.data.entries.size).toBe(0);
  });

  it('is given by code that submits, and checked there too', async () => {
    const { handler } = gatedHandler();
    const bed = openBed(handler, { operation: byTenant });
    const submit = (options: object) => bed.api.intents.submit('reports.generate', {}, options);
    expect((await submit({ key: 'a', priority: 2 })).record).toMatchObject({
      key: 'a',
      priority: 2,
    });
    expect((await submit({})).record.key).toBe('');
    await expect(submit({ key: '' })).rejects.toMatchObject({ code: 'operation_key_invalid' });
    await expect(submit({ priority: 0.5 })).rejects.toMatchObject({ code: 'priority_invalid' });
  });

  it('is not asked for where nothing goes by it', async () => {
    const { handler } = gatedHandler();
    const bed = openBed(handler);
    expect(recordOf(bed, await bed.submit())).not.toHaveProperty('key');
  });
});
