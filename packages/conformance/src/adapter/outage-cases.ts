import { describe, expect, it } from 'vitest';
import { expectAlive, expectProblem } from './expectations.ts';
import { echo, fixtureOperation } from './fixture-operation.ts';
import type { Harness } from './harness.ts';

/** What an outage of the store does. */
export function outageCases(harness: Harness): void {
  describe('when the store is away', () => {
    it('submits and looks are 503 with Retry-After, and all is well after it', async () => {
      const server = await harness.serve({ operations: [echo()] });
      const accepted = await server.submit();
      const ended = await server.ended(accepted);
      server.probe.break('rejects');
      for (const [method, path] of [
        ['POST', `${server.prefix}/op`],
        ['GET', accepted.links.self],
        ['GET', accepted.links.result],
        ['GET', accepted.links.events],
        ['DELETE', accepted.links.self],
      ] as const) {
        const answer = await server.send(method, path, method === 'POST' ? { json: {} } : {});
        const problem = expectProblem(answer, 'store_unavailable');
        expect(problem.retryable).toBe(true);
        expect(Number(answer.headers['retry-after'])).toBeGreaterThanOrEqual(1);
      }
      server.probe.heal();
      expect(await server.snapshot(accepted)).toEqual(ended);
      await expectAlive(server);
      expect(await server.probe.store.list({ limit: 10 })).toHaveLength(2);
    });

    it('says what the store says only if it may: that can name hosts, users and files', async () => {
      const details = [];
      for (const exposeErrors of [true, false]) {
        const server = await harness.serve({ operations: [echo()], options: { exposeErrors } });
        const accepted = await server.submit();
        server.probe.break('rejects');
        const answer = await server.send('GET', accepted.links.self);
        details.push(expectProblem(answer, 'store_unavailable').detail);
        server.probe.heal();
      }
      const [exposed, hidden] = details;
      expect(exposed).toContain('The store is away');
      expect(hidden).not.toContain('The store is away');
    });

    it('an EventSource is asked to come back with a 200, since it gives up at any other', async () => {
      const server = await harness.serve({ operations: [echo()] });
      const accepted = await server.submit();
      await server.ended(accepted);
      server.probe.break('rejects');
      const stream = await server.observe(accepted.links.events);
      expect(stream.status).toBe(200);
      expect(await stream.rest()).toEqual([]);
      expect(stream.retries.at(-1)).toBeGreaterThanOrEqual(1_000);
      server.probe.heal();
      const again = await server.observe(accepted.links.events);
      expect((await again.rest()).at(-1)?.event).toBe('intent.completed');
    });

    it('a store that does not answer is as good as away', async () => {
      const server = await harness.serve({
        operations: [echo()],
        options: { storeTimeoutMs: 500 },
      });
      server.probe.break('hangs', ['submit', 'get']);
      const submit = await server.send('POST', `${server.prefix}/op`, { json: {} });
      expectProblem(submit, 'store_unavailable');
      expect(submit.headers['retry-after']).toBe('1');
      server.probe.heal();
      await expectAlive(server);
    });

    it('a handler that ends meanwhile has not worked in vain', async () => {
      const gate = Promise.withResolvers<object>();
      const started = Promise.withResolvers<void>();
      let calls = 0;
      const operation = fixtureOperation({
        handle: () => {
          calls += 1;
          started.resolve();
          return gate.promise;
        },
      });
      const server = await harness.serve({ operations: [operation] });
      const accepted = await server.submit();
      await started.promise;
      server.probe.break('rejects', ['commit']);
      const refused = server.probe.next('commit');
      gate.resolve({ worked: true });
      await refused;
      expect((await server.snapshot(accepted)).status).toBe('IN_PROGRESS');
      server.probe.heal();
      const ended = await server.ended(accepted);
      expect(ended).toMatchObject({ status: 'COMPLETED', attempt: 1 });
      expect((await server.send('GET', accepted.links.result)).json).toEqual({ worked: true });
      expect(calls).toBe(1);
    });
  });
}
