import { describe, expect, it, onTestFinished } from 'vitest';
import { DurableApi } from '../../src/durable-api.ts';
import type { AttemptContext } from '../../src/engine/operation.ts';
import type { DurableApiOptions, OperationOptions } from '../../src/options.ts';
import type { ScheduleOption } from '../../src/schedule/schedule-options.ts';
import type { IntentRecord } from '../../src/state/intent.ts';
import { memoryData, memoryStore, type MemoryData } from '../../src/store/memory-store.ts';
import type { Store } from '../../src/store/store.ts';
import { respond } from '../support/bed.ts';
import { HastyClock } from '../support/hasty-clock.ts';
import { mortalStore, type Fate } from '../support/mortal-store.ts';
import { VirtualClock } from '../support/virtual-clock.ts';

const MINUTE_MS = 60_000;
const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;

interface Seen {
  readonly body: unknown;
  readonly context: AttemptContext;
}

/** What processes of a test share. */
interface World {
  readonly clock: VirtualClock;
  readonly data: MemoryData;
  /** What handlers were called with, in order. */
  readonly seen: Seen[];
}

function world(startAt = '2026-01-01T00:00:00Z'): World {
  return { clock: new VirtualClock(Date.parse(startAt)), data: memoryData(), seen: [] };
}

interface Deployed {
  readonly fate?: Fate;
  /** What is between the process and the store. */
  readonly around?: (store: Store) => Store;
  readonly api?: Partial<DurableApiOptions>;
  readonly operation?: OperationOptions;
  /** What the handler waits for. */
  readonly gate?: Promise<void>;
}

/** Starts a process that declares `reports` with this schedule. */
async function deploy(
  { clock, data, seen }: World,
  schedule: ScheduleOption | undefined,
  { fate = () => null, around = (store) => store, api: options, operation, gate }: Deployed = {},
): Promise<DurableApi> {
  const store = mortalStore(around(memoryStore(data)), fate);
  const api = new DurableApi({ store, clock, ...options });
  api.declare(
    {
      name: 'reports',
      async run(input, context) {
        seen.push({ body: Object(input).body, context });
        await gate;
        return respond();
      },
    },
    { ...operation, schedule },
  );
  onTestFinished(() => {
    store.die();
    void api.stop({ graceMs: 0 });
  });
  await clock.advance(0);
  return api;
}

/** When the intents of ticks were scheduled for, in order; each of them has one intent. */
function ticksOf({ data }: World): string[] {
  const ticks = [...data.entries.values()]
    .filter(({ record }) => record.operation === 'reports')
    .map(({ commits }) => JSON.parse(commits[0]?.[0]?.json ?? '{}').details?.scheduled_for);
  return ticks.map((at) => String(at).replace(/:00\.000Z$|\.000Z$/, 'Z')).sort();
}

const recordsOf = ({ data }: World): IntentRecord[] =>
  [...data.entries.values()].map(({ record }) => record);

/** What the library keeps of schedules that has not ended, without the register of them. */
const liveOf = (here: World): IntentRecord[] =>
  recordsOf(here).filter(
    ({ operation, dueAt }) => operation.startsWith('durable.schedule:') && dueAt !== null,
  );

describe('a schedule', () => {
  it('starts an intent at each tick, by itself and on time', async () => {
    const here = world('2026-10-24T23:10:00Z');
    await deploy(here, { cron: '30 2 * * *', timeZone: 'Europe/Berlin' });
    await here.clock.advance(3 * DAY_MS);
    expect(ticksOf(here)).toEqual(['2026-10-25T00:30Z', '2026-10-26T01:30Z', '2026-10-27T01:30Z']);
    for (const { createdAt, operation, status } of recordsOf(here)) {
      if (operation !== 'reports') continue;
      expect(ticksOf(here)).toContain(new Date(createdAt).toISOString().replace(':00.000Z', 'Z'));
      expect(status).toBe('COMPLETED');
    }
  });

  it('tells handler and observers what it is for, and is nobody’s unless it names an owner', async () => {
    const here = world();
    const api = await deploy(here, [
      { name: 'nightly', cron: '0 3 * * *', input: { full: true }, owner: 'tenant-a' },
      {
        name: 'hourly',
        cron: '30 * * * *',
        input: ({ scheduledFor }) => ({ hour: scheduledFor.getUTCHours() }),
      },
    ]);
    await here.clock.advance(HOUR_MS);
    const [first] = here.seen;
    expect(first?.body).toEqual({ hour: 0 });
    expect(first?.context.scheduledFor).toEqual(new Date('2026-01-01T00:30:00Z'));
    expect(first?.context.owner).toBe('');
    await here.clock.advance(2 * HOUR_MS);
    const nightly = here.seen.find(({ context }) => context.owner === 'tenant-a');
    expect(nightly?.body).toEqual({ full: true });
    const [found] = await here.clock.resolve(api.intents.list({ owner: 'tenant-a' }));
    const created = here.data.entries.get(found?.id ?? '')?.commits[0]?.[0]?.json ?? '{}';
    expect(JSON.parse(created).details).toEqual({
      schedule: 'nightly',
      scheduled_for: '2026-01-01T03:00:00.000Z',
    });
    const other = await here.clock.resolve(api.intents.submit('reports'));
    await here.clock.advance(0);
    expect(here.seen.find(({ context }) => context.intentId === other.record.id)).toBeDefined();
    expect(here.seen.at(-1)?.context.scheduledFor).toBeUndefined();
  });

  it('starts one intent for each tick over three processes', async () => {
    const here = world();
    for (let i = 0; i < 3; i += 1) await deploy(here, '* * * * * *');
    await here.clock.advance(10_000);
    expect(ticksOf(here)).toHaveLength(10);
    expect(new Set(ticksOf(here)).size).toBe(10);
  });

  it('starts none too early, though clocks are not exact', async () => {
    for (let seed = 1; seed <= 5; seed += 1) {
      const here = { ...world(), clock: new HastyClock(seed), data: memoryData() };
      for (let i = 0; i < 2; i += 1) await deploy(here, '*/5 * * * * *');
      await here.clock.advance(62_000);
      expect(new Set(ticksOf(here)).size).toBe(ticksOf(here).length);
      expect(ticksOf(here).length).toBeGreaterThanOrEqual(12);
      for (const { context } of here.seen) {
        const { intentId, scheduledFor } = context;
        const { createdAt = 0 } = here.data.entries.get(intentId)?.record ?? {};
        expect(createdAt).toBeGreaterThanOrEqual(scheduledFor?.getTime() ?? Infinity);
      }
    }
  });

  it.each([-300_000, 300_000])(
    'goes by the store’s clock where that of the host is wrong by %i ms',
    async (skewMs) => {
      const here = world();
      const around = (inner: Store): Store => ({
        ...inner,
        capabilities: { ...inner.capabilities, clock: 'store' },
        claim: (request) => inner.claim({ ...request, now: here.clock.now() - skewMs }),
        renew: (request) => inner.renew({ ...request, now: here.clock.now() - skewMs }),
      });
      await deploy(here, '* * * * *', { around });
      await here.clock.advance(10 * MINUTE_MS);
      expect(ticksOf(here)).toHaveLength(10);
      for (const { context } of here.seen) {
        const { createdAt } = here.data.entries.get(context.intentId)?.record ?? {};
        expect(createdAt).toBe(context.scheduledFor?.getTime());
      }
      expect(here.seen[0]?.context.scheduledFor?.getTime()).toBe(
        Date.UTC(2026, 0, 1) - skewMs + MINUTE_MS,
      );
    },
  );

  it('does not start anything where no attempts are started', async () => {
    const here = world();
    await deploy(here, '* * * * *', { api: { worker: false } });
    await here.clock.advance(HOUR_MS);
    expect(recordsOf(here)).toEqual([]);
  });

  it('can be declared after the start', async () => {
    const here = world();
    const api = await deploy(here, undefined);
    api.declare({ name: 'late', run: async () => respond() }, { schedule: '0 * * * *' });
    await here.clock.advance(HOUR_MS);
    expect(recordsOf(here).filter(({ operation }) => operation === 'late')).toHaveLength(1);
  });

  it('is not held up by handlers that take all places', async () => {
    const here = world();
    const gate = new Promise<void>(() => {});
    await deploy(here, '* * * * *', { api: { concurrency: 1 }, gate });
    await here.clock.advance(3 * MINUTE_MS);
    expect(ticksOf(here)).toHaveLength(3);
  });

  it('keeps few events, however long it is there', async () => {
    const here = world();
    await deploy(here, '* * * * * *');
    await here.clock.advance(600_000);
    expect(new Set(ticksOf(here)).size).toBe(600);
    expect(ticksOf(here)).toHaveLength(600);
    const kept = recordsOf(here).filter(({ operation }) => operation.startsWith('durable.'));
    // Two of them and the register.
    expect(kept).toHaveLength(3);
    expect(Math.max(...kept.map(({ seq }) => seq))).toBeLessThanOrEqual(503);
    expect(liveOf(here)).toHaveLength(1);
  });

  it('is not seen in lists, unless one asks for it', async () => {
    const here = world();
    const api = await deploy(here, '* * * * *');
    await here.clock.advance(3 * MINUTE_MS);
    const list = (options: object) => here.clock.resolve(api.intents.list(options));
    expect(await list({})).toHaveLength(3);
    expect(await list({ limit: 2 })).toHaveLength(2);
    const [last] = await list({ limit: 1 });
    expect(await list({ before: last?.id })).toHaveLength(2);
    const [kept] = liveOf(here);
    expect(await list({ operation: kept?.operation })).toHaveLength(1);
  });

  it('tries a tick again whose input it could not have, and says so', async () => {
    const here = world();
    let calls = 0;
    const errors: unknown[] = [];
    const silent = (): void => {};
    const logger = {
      debug: silent,
      info: silent,
      warn: silent,
      error: (o: unknown) => errors.push(o),
    };
    const input = (): object => {
      calls += 1;
      if (calls === 1) throw new Error('The disk is full.');
      return {};
    };
    await deploy(here, { cron: '0 * * * *', input }, { api: { logger } });
    await here.clock.advance(HOUR_MS + MINUTE_MS);
    expect(errors).toMatchObject([{ operation: 'reports', schedule: 'default' }]);
    expect(ticksOf(here)).toEqual(['2026-01-01T01:00Z']);
  });
});

describe('a tick while the intent of the one before is under way', () => {
  it.each([
    ['allow', 3],
    ['skip', 1],
  ] as const)('with overlap %s starts so that there are %i', async (overlap, count) => {
    const here = world();
    const gate = Promise.withResolvers<void>();
    await deploy(here, { cron: '* * * * *', overlap }, { gate: gate.promise });
    await here.clock.advance(3 * MINUTE_MS + 1);
    expect(ticksOf(here)).toHaveLength(count);
    gate.resolve();
    await here.clock.advance(MINUTE_MS);
    expect(ticksOf(here)).toHaveLength(count + 1);
  });
});

describe('when nobody was there', () => {
  it.each([
    ['latest', ['2026-01-01T05:00Z']],
    ['skip', []],
    ['all', ['02', '03', '04', '05'].map((hour) => `2026-01-01T${hour}:00Z`)],
  ] as const)('with missed %s a start catches up so', async (missed, caughtUp) => {
    const here = world();
    const schedule = { cron: '0 * * * *', missed };
    const first = await deploy(here, schedule);
    await here.clock.advance(HOUR_MS + MINUTE_MS);
    await here.clock.resolve(first.stop());
    await here.clock.advance(4 * HOUR_MS + MINUTE_MS);
    await deploy(here, schedule);
    await here.clock.advance(MINUTE_MS);
    expect(ticksOf(here)).toEqual(['2026-01-01T01:00Z', ...caughtUp]);
    await here.clock.advance(HOUR_MS);
    expect(ticksOf(here).at(-1)).toBe('2026-01-01T06:00Z');
  });

  it('does not catch up with what was before the schedule', async () => {
    const here = world('2026-01-01T00:30:00Z');
    await deploy(here, { cron: '0 * * * *', missed: 'all' });
    await here.clock.advance(MINUTE_MS);
    expect(ticksOf(here)).toEqual([]);
  });
});

describe('a process that dies', () => {
  /** Any write of a process that begins at a tick: there are the intent of the tick and what follows. */
  const WRITES = ['submit of the tick', 'commit of the next'];

  it.each(WRITES.flatMap((write) => [[write, 'before'] as const, [write, 'after'] as const]))(
    'leaves each tick with one intent: %s, %s it',
    async (write, when) => {
      const here = world();
      const fate: Fate = ({ method, request: { record } }) => {
        const isTick = method === 'submit' && record.operation === 'reports';
        const isNext = method === 'commit' && record.operation.startsWith('durable.schedule:');
        const isIt = write === WRITES[0] ? isTick : isNext;
        return isIt ? when : null;
      };
      await deploy(here, '*/10 * * * * *', { fate });
      await here.clock.advance(10_000);
      await deploy(here, '*/10 * * * * *');
      await here.clock.advance(50_000);
      const expected = [10, 20, 30, 40, 50].map((second) => `2026-01-01T00:00:${second}Z`);
      expect(ticksOf(here)).toEqual([...expected, '2026-01-01T00:01Z']);
    },
  );

  it.each(
    [1, 2, 3].flatMap((nth) => (['before', 'after'] as const).map((when) => [when, nth] as const)),
  )(
    'leaves one successor of a schedule with many events: %s write %i of those that hand it on',
    async (when, nth) => {
      const here = world();
      let writes = 0;
      const fate: Fate = ({ method, request: { record } }) => {
        const isKept = record.operation.startsWith('durable.schedule:');
        const isHandOn = record.attempt > 0 || (method === 'submit' && here.seen.length > 0);
        if (!isKept || !isHandOn) return null;
        writes += 1;
        return writes === nth ? when : null;
      };
      await deploy(here, '*/10 * * * * *', { fate });
      const [kept] = liveOf(here);
      const entry = here.data.entries.get(kept?.id ?? '');
      if (entry !== undefined) entry.record = { ...entry.record, seq: 500 };
      await here.clock.advance(10_000);
      expect(writes).toBe(nth);
      await deploy(here, '*/10 * * * * *');
      await here.clock.advance(50_000);
      expect(ticksOf(here)).toHaveLength(6);
      expect(new Set(ticksOf(here)).size).toBe(6);
      expect(liveOf(here)).toHaveLength(1);
    },
  );
});

describe('another deploy', () => {
  it('of another expression takes the place of the one before', async () => {
    const here = world();
    const before = await deploy(here, '0 * * * *');
    await here.clock.advance(HOUR_MS + MINUTE_MS);
    await here.clock.resolve(before.stop());
    await deploy(here, '30 * * * *');
    await here.clock.advance(2 * HOUR_MS);
    expect(ticksOf(here)).toEqual(['2026-01-01T01:00Z', '2026-01-01T01:30Z', '2026-01-01T02:30Z']);
  });

  it('beside the one before starts one intent for what both name', async () => {
    const here = world();
    await deploy(here, '*/20 * * * *');
    await deploy(here, '*/30 * * * *');
    await here.clock.advance(HOUR_MS);
    expect(ticksOf(here)).toEqual(
      ['20', '30', '40'].map((m) => `2026-01-01T00:${m}Z`).concat('2026-01-01T01:00Z'),
    );
  });

  it('of an expression that was replaced meanwhile has missed nothing', async () => {
    const here = world();
    const first = await deploy(here, '0 * * * *');
    await here.clock.resolve(first.stop());
    const second = await deploy(here, '30 * * * *');
    await here.clock.advance(3 * HOUR_MS + 40 * MINUTE_MS);
    await here.clock.resolve(second.stop());
    const before = ticksOf(here);
    await deploy(here, '0 * * * *');
    await here.clock.advance(10 * MINUTE_MS);
    expect(ticksOf(here)).toEqual(before);
    await here.clock.advance(HOUR_MS);
    expect(ticksOf(here)).toEqual([...before, '2026-01-01T04:00Z']);
  });

  it('forgets a schedule that was ended by hand, and takes it up again', async () => {
    const here = world();
    const first = await deploy(here, '0 * * * *');
    const [kept] = liveOf(here);
    await here.clock.resolve(first.intents.cancel(kept?.id ?? ''));
    await here.clock.resolve(first.stop());
    await deploy(here, undefined);
    expect(liveOf(here)).toEqual([]);
    const register = recordsOf(here).find(({ operation }) => operation === 'durable.schedules');
    expect(here.data.entries.get(register?.id ?? '')?.input).toBe('{"body":[],"rest":{}}');
    await deploy(here, '0 * * * *');
    await here.clock.advance(HOUR_MS);
    expect(ticksOf(here)).toEqual(['2026-01-01T01:00Z']);
  });

  it('goes on where somebody died who was looking for what is left of it', async () => {
    const here = world();
    const first = await deploy(here, '0 * * * *');
    const [kept] = liveOf(here);
    await here.clock.resolve(first.intents.cancel(kept?.id ?? ''));
    await here.clock.resolve(first.stop());
    await deploy(here, undefined, { fate: ({ method }) => (method === 'submit' ? 'after' : null) });
    expect(liveOf(here)).toHaveLength(1);
    await deploy(here, '0 * * * *');
    await here.clock.advance(HOUR_MS);
    expect(ticksOf(here)).toEqual(['2026-01-01T01:00Z']);
  });

  it('without the schedule starts nothing, and after a week nothing is left of it', async () => {
    const here = world();
    const first = await deploy(here, '0 * * * *');
    await here.clock.resolve(first.stop());
    const second = await deploy(here, undefined);
    await here.clock.advance(6 * DAY_MS);
    expect(ticksOf(here)).toEqual([]);
    await here.clock.resolve(second.stop());
    await here.clock.resolve((await deploy(here, undefined)).stop());
    expect(liveOf(here)).toHaveLength(1);
    await here.clock.advance(2 * DAY_MS);
    await deploy(here, undefined);
    expect(liveOf(here)).toEqual([]);
    await deploy(here, '0 * * * *');
    await here.clock.advance(HOUR_MS);
    expect(ticksOf(here)).toEqual(['2026-01-09T01:00Z']);
  });
});
