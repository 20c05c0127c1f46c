import { DurableClient, OperationCanceledError, type Operation } from '@durable-api/client';
import type { WireEvent } from '@durable-api/protocol';
import { describe, expect, it } from 'vitest';
import { at, useCrashStore } from './crash/use-crash-store.ts';
import { ServerInProcess } from './server-in-process.ts';

/** What slow machines are given on top of what is promised. */
const SLACK_MS = 9_000;

describe.each(['postgres', 'redis'] as const)(
  'of several processes on %s',
  { timeout: 240_000 },
  (kind) => {
    const storeUrl = useCrashStore(kind);

    const start = (leaseMs: number): Promise<ServerInProcess> =>
      ServerInProcess.start({
        script: 'test/skew/server.ts',
        store: storeUrl(),
        env: { LEASE_MS: String(leaseMs) },
      });
    const seen = async (operation: Operation): Promise<WireEvent[]> => {
      const events: WireEvent[] = [];
      for await (const event of operation.observe()) events.push(event);
      return events;
    };
    const working = async (operation: Operation): Promise<void> => {
      for await (const { event_type: type } of operation.observe()) {
        if (type === 'intent.progress') return;
      }
    };

    it('each serves the observers of all, as it happens', async () => {
      await using first = await start(60_000);
      await using second = await start(60_000);
      const operation = await new DurableClient(first.origin).submit('/work', { ms: 500 });
      const [here, there] = await Promise.all([seen(operation), seen(at(second, operation))]);
      expect(there).toEqual(here);
      expect(there.at(-1)?.event_type).toBe('intent.completed');
      const early = Date.parse(there.find((one) => one.attempt === 1)?.at ?? '');
      expect(early).toBeLessThan(Date.parse(there.at(-1)?.at ?? ''));
    });

    it('each can cancel what another one works on, within a second', async () => {
      // The next renewal, which would tell too, comes only after 100 s.
      await using first = await start(300_000);
      await using second = await start(300_000);
      const operation = await new DurableClient(first.origin).submit('/work', { ms: 3_600_000 });
      await working(at(second, operation));
      const askedAt = performance.now();
      await at(second, operation).cancel();
      await expect(at(second, operation).result()).rejects.toThrow(OperationCanceledError);
      expect(performance.now() - askedAt).toBeLessThan(1_000 + SLACK_MS);
    });

    it('all of them together start no more in a period than a rate limit says', async () => {
      await using first = await start(15_000);
      await using second = await start(15_000);
      const origins = Array.from({ length: 16 }, (_, i) => (i % 2 === 0 ? first : second).origin);
      const operations = await Promise.all(
        origins.map((origin) =>
          new DurableClient(origin).submit<{ input: object; result: { pid: number } }>('/limited', {
            ms: 150,
          }),
        ),
      );
      const results = await Promise.all(operations.map((operation) => operation.result()));
      expect(new Set(results.map(({ pid }) => pid)).size).toBe(2);
      const started = (await Promise.all(operations.map(seen))).map((events) =>
        Date.parse(events.find(({ event_type: type }) => type === 'intent.in_progress')?.at ?? ''),
      );
      const inOrder = started.toSorted((a, b) => a - b);
      const gaps = inOrder.slice(4).map((at, i) => at - (inOrder[i] ?? NaN));
      // A lease is counted when it is taken, a little before the start is noted.
      expect(Math.min(...gaps)).toBeGreaterThan(800);
    });

    it('another one starts what a killed one worked on, when its lease has ended', async () => {
      await using first = await start(5_000);
      await using second = await start(5_000);
      const operation = await new DurableClient(first.origin).submit('/work', { ms: 2_000 });
      await working(at(second, operation));
      const killedAt = performance.now();
      await first.kill();
      for await (const event of at(second, operation).observe()) {
        if (event.event_type === 'intent.in_progress' && event.attempt === 2) break;
      }
      expect(performance.now() - killedAt).toBeLessThan(5_000 + 1_000 + SLACK_MS);
      expect(await at(second, operation).result()).toMatchObject({ attempt: 2 });
    });
  },
);
