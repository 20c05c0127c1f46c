import { describe, expect, it } from 'vitest';
import { abortReason } from './expectations.ts';
import { fixtureOperation } from './fixture-operation.ts';
import type { Harness } from './harness.ts';

/** Stop and restart. */
export function lifecycleCases(harness: Harness): void {
  describe('stop', () => {
    it('ends open streams with when to come back, and the server closes at once', async () => {
      const operation = fixtureOperation({
        handle: async ({ durable }) => {
          throw await abortReason(durable.signal);
        },
      });
      const server = await harness.serve({ operations: [operation] });
      const accepted = await server.submit();
      const streams = await Promise.all(
        Array.from({ length: 3 }, () => server.observe(accepted.links.events)),
      );
      for (const stream of streams) await stream.upTo('intent.in_progress');
      const from = performance.now();
      await server.stop(0);
      expect(performance.now() - from).toBeLessThan(500);
      for (const stream of streams) {
        await stream.rest();
        expect(stream.isComplete).toBe(true);
        expect(stream.retries.length).toBeGreaterThanOrEqual(2);
        expect(stream.retries.at(-1)).toBeGreaterThanOrEqual(1_000);
      }
      await expect(server.send('GET', accepted.links.self)).rejects.toThrow(/ECONN|socket/);
    });

    it('lets a handler end that ends within the grace', async () => {
      const gate = Promise.withResolvers<object>();
      const started = Promise.withResolvers<void>();
      const operation = fixtureOperation({
        handle: () => {
          started.resolve();
          return gate.promise;
        },
      });
      const server = await harness.serve({ operations: [operation] });
      const accepted = await server.submit();
      const stream = await server.observe(accepted.links.events);
      await started.promise;
      const stopping = server.stop(20_000);
      // The stream ends when the drain begins.
      await stream.rest();
      gate.resolve({ just: 'in time' });
      await stopping;
      const next = await harness.serve({ operations: [operation], data: server.data });
      expect(await next.snapshot(accepted)).toMatchObject({ status: 'COMPLETED', attempt: 1 });
    });
  });

  describe('a restart', () => {
    it('goes on with what was not done, and observers resume where they were', async () => {
      const reasons: unknown[] = [];
      let attempts = 0;
      const operation = fixtureOperation({
        handle: async ({ durable }) => {
          attempts += 1;
          durable.progress(attempts / 10);
          if (attempts > 1) return { attempt: durable.attempt };
          reasons.push(await abortReason(durable.signal));
          throw durable.signal.reason;
        },
      });
      const before = await harness.serve({ operations: [operation] });
      const accepted = await before.submit();
      const first = await before.observe(accepted.links.events);
      const seen = [...(await first.upTo('intent.progress'))];
      await before.stop(0);
      seen.push(...(await first.rest()));
      const after = await harness.serve({ operations: [operation], data: before.data });
      const second = await after.observe(accepted.links.events, {
        headers: { 'last-event-id': String(seen.at(-1)?.id) },
      });
      seen.push(...(await second.rest()));
      expect(seen.map(({ data }) => data.seq)).toEqual(seen.map((_, i) => i + 1));
      expect(seen.at(-1)?.event).toBe('intent.completed');
      expect(reasons).toMatchObject([{ cause: 'draining' }]);
      const result = await after.send('GET', accepted.links.result);
      expect(result.json).toEqual({ attempt: 2 });
    });

    it('knows results and idempotency keys of before', async () => {
      let calls = 0;
      const operation = fixtureOperation({ handle: async () => ({ calls: ++calls }) });
      const before = await harness.serve({ operations: [operation] });
      const headers = { 'idempotency-key': 'k-1' };
      const accepted = await before.submit('/op', { a: 1 }, { headers });
      await before.ended(accepted);
      await before.stop(0);
      const after = await harness.serve({ operations: [operation], data: before.data });
      const again = await after.submit('/op', { a: 1 }, { headers });
      expect(again.id).toBe(accepted.id);
      expect((await after.send('GET', again.links.result)).json).toEqual({ calls: 1 });
    });
  });

  describe('a process with worker: false', () => {
    it('stores intents that another one works on', async () => {
      const operation = fixtureOperation({ handle: async ({ body }) => ({ body }) });
      const front = await harness.serve({ operations: [operation], options: { worker: false } });
      const accepted = await front.submit('/op', { a: 1 });
      expect(await front.snapshot(accepted)).toMatchObject({ status: 'SUBMITTED', attempt: 0 });
      await front.stop(0);
      const worker = await harness.serve({ operations: [operation], data: front.data });
      expect((await worker.ended(accepted)).status).toBe('COMPLETED');
    });
  });
}
