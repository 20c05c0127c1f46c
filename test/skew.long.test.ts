import { DurableClient, type Operation } from '@durable-api/client';
import type { WireEvent } from '@durable-api/protocol';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openCrashStore, type CrashStore } from './crash/crash-store.ts';
import { ServerInProcess } from './server-in-process.ts';
import { clockSetBy } from './skew/faketime.ts';
import type { SkewWork } from './skew/server.ts';

const SKEW_S = 300;
const LEASE_MS = 4_000;
/** Far less than the skew, and far more than a slow machine needs. */
const SOON_MS = 100_000;

const ahead = clockSetBy(SKEW_S);
const behind = clockSetBy(-SKEW_S);

describe.skipIf(ahead === null || behind === null).each(['postgres', 'redis'] as const)(
  'two hosts on %s whose clocks are 5 minutes ahead and 5 minutes behind',
  { timeout: 240_000 },
  (kind) => {
    let store: CrashStore;
    let fast: ServerInProcess;
    let slow: ServerInProcess;

    const start = (env: Readonly<Record<string, string>> | null): Promise<ServerInProcess> =>
      ServerInProcess.start({
        script: 'test/skew/server.ts',
        store: store.url,
        env: { ...env, LEASE_MS: String(LEASE_MS) },
      });
    const submit = (to: ServerInProcess, work: SkewWork, path = '/work'): Promise<Operation> =>
      new DurableClient(to.origin).submit(path, work);
    const there = (host: ServerInProcess, { url }: Operation): Operation =>
      new DurableClient(host.origin).operation(new URL(url).pathname);
    const eventsOf = async (operation: Operation): Promise<WireEvent[]> => {
      const seen: WireEvent[] = [];
      for await (const event of operation.observe()) seen.push(event);
      return seen;
    };
    const at = (events: readonly WireEvent[], type: string, attempt?: number): number => {
      const found = events.find((event) => {
        return event.event_type === type && (attempt === undefined || event.attempt === attempt);
      });
      return Date.parse(found?.at ?? '');
    };
    /** Each way round: which host is asked, and which looks on. */
    const bothWays = async (
      body: (asked: ServerInProcess, other: ServerInProcess) => Promise<void>,
    ): Promise<void> => {
      await body(fast, slow);
      await body(slow, fast);
    };

    beforeAll(async () => {
      const opened = await openCrashStore(kind);
      if (opened === null) throw new Error(`There is no ${kind} server on this machine.`);
      store = opened;
      [fast, slow] = await Promise.all([start(ahead), start(behind)]);
    }, 240_000);

    afterAll(async () => {
      await fast[Symbol.asyncDispose]();
      await slow[Symbol.asyncDispose]();
      await store[Symbol.asyncDispose]();
    });

    it('have clocks that differ by ten minutes', async () => {
      const clock = async (host: ServerInProcess): Promise<number> =>
        Number(await (await fetch(`${host.origin}/clock`)).text());
      const difference = (await clock(fast)) - (await clock(slow));
      expect(Math.abs(difference - 2 * SKEW_S * 1_000)).toBeLessThan(SOON_MS);
    });

    it('leave each other the leases, and date every event by the time of the store', async () => {
      await bothWays(async (asked, other) => {
        const before = Date.now();
        const operation = await submit(asked, { ms: 1.5 * LEASE_MS });
        const events = await eventsOf(there(other, operation));
        expect(await operation.result()).toMatchObject({ attempt: 1 });
        const times = events.map((event) => Date.parse(event.at));
        expect(times).toEqual(times.toSorted((a, b) => a - b));
        for (const time of times) expect(Math.abs(time - before)).toBeLessThan(SOON_MS);
      });
    });

    it('try again when the backoff is over', async () => {
      await bothWays(async (asked, other) => {
        const operation = await submit(asked, { retryAfterMs: 1_500 });
        const events = await eventsOf(there(other, operation));
        const waited =
          at(events, 'intent.in_progress', 2) - at(events, 'intent.delivery_failed', 1);
        expect(waited).toBeGreaterThanOrEqual(1_500);
        expect(waited).toBeLessThan(SOON_MS);
      });
    });

    it('end what is past its deadline, and not before', async () => {
      await bothWays(async (asked, other) => {
        const operation = await submit(asked, { ms: 3_600_000 }, '/hasty');
        const events = await eventsOf(there(other, operation));
        const lasted = at(events, 'intent.timed_out') - at(events, 'intent.created');
        expect(lasted).toBeGreaterThanOrEqual(2_000);
        expect(lasted).toBeLessThan(SOON_MS);
      });
    });

    it('take over what a killed one was doing, within a lease', async () => {
      await bothWays(async (asked, other) => {
        const operation = await submit(asked, { ms: 1_000 });
        for await (const { event_type: type } of there(other, operation).observe()) {
          if (type === 'intent.progress') break;
        }
        const killedAt = Date.now();
        await asked.kill();
        const events = await eventsOf(there(other, operation));
        expect(events.at(-1)).toMatchObject({ event_type: 'intent.completed', attempt: 2 });
        expect(at(events, 'intent.in_progress', 2) - killedAt).toBeLessThan(SOON_MS);
        await asked.restart();
      });
    });
  },
);
