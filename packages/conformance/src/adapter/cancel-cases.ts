import { AttemptAborted, RetryAfterError } from '@durable-api/core';
import { snapshotSchema } from '@durable-api/protocol';
import { describe, expect, it } from 'vitest';
import { abortReason, expectProblem } from './expectations.ts';
import { echo, fixtureOperation, type FixtureOperation } from './fixture-operation.ts';
import type { Harness } from './harness.ts';

interface Endless {
  readonly operation: FixtureOperation;
  readonly started: Promise<void>;
  readonly reason: Promise<unknown>;
}

/** Goes on until it is aborted. */
function endless(): Endless {
  const started = Promise.withResolvers<void>();
  const aborted = Promise.withResolvers<unknown>();
  const operation = fixtureOperation({
    handle: async ({ durable }) => {
      started.resolve();
      const reason = await abortReason(durable.signal);
      aborted.resolve(reason);
      throw reason;
    },
  });
  return { operation, started: started.promise, reason: aborted.promise };
}

/** `DELETE P/{id}` and `POST P/{id}/cancel`. */
export function cancelCases(harness: Harness): void {
  describe('a cancel', () => {
    for (const method of ['DELETE', 'POST'] as const) {
      it(`by ${method} reaches the AbortSignal of the handler, and the intent ends`, async () => {
        const { operation, started, reason } = endless();
        const server = await harness.serve({ operations: [operation] });
        const accepted = await server.submit();
        await started;
        const path = method === 'DELETE' ? accepted.links.self : accepted.links.cancel;
        const sentAt = performance.now();
        const answer = await server.send(method, path);
        expect(answer.status).toBe(202);
        const snapshot = snapshotSchema.parse(answer.json);
        expect(snapshot.cancel_requested_at).toBeTypeOf('string');
        const given = await reason;
        expect(performance.now() - sentAt).toBeLessThan(1_000);
        expect(given).toBeInstanceOf(AttemptAborted);
        expect(given).toMatchObject({ cause: 'canceled' });
        expect((await server.ended(accepted)).status).toBe('CANCELED');
        expectProblem(await server.send('GET', accepted.links.result), 'intent_canceled');
      });
    }

    it('of an intent that waits for its next attempt ends it at once', async () => {
      const operation = fixtureOperation({
        handle: () => Promise.reject(new RetryAfterError('Later.', 600_000)),
      });
      const server = await harness.serve({ operations: [operation] });
      const accepted = await server.submit();
      const stream = await server.observe(accepted.links.events);
      await stream.upTo('intent.waiting');
      const answer = await server.send('DELETE', accepted.links.self);
      expect(answer.status).toBe(200);
      expect(answer.json).toMatchObject({ status: 'CANCELED', intent_id: accepted.id });
      expect((await stream.rest()).map(({ event }) => event)).toEqual(['intent.canceled']);
    });

    it('changes nothing when it is repeated', async () => {
      const { operation, started } = endless();
      const server = await harness.serve({ operations: [operation] });
      const accepted = await server.submit();
      await started;
      await server.send('DELETE', accepted.links.self);
      const again = await server.send('POST', accepted.links.cancel);
      expect([200, 202]).toContain(again.status);
      await server.ended(accepted);
      const last = await server.send('DELETE', accepted.links.self);
      expect(last.status).toBe(200);
      expect(last.json).toMatchObject({ status: 'CANCELED' });
      const stream = await server.observe(accepted.links.events);
      const types = (await stream.rest()).map(({ event }) => event);
      expect(types.filter((type) => type === 'intent.cancel_requested')).toHaveLength(1);
      expect(types.filter((type) => type === 'intent.canceled')).toHaveLength(1);
    });

    it('after the end is a 409 and changes nothing', async () => {
      const server = await harness.serve({ operations: [echo()] });
      const accepted = await server.submit();
      const ended = await server.ended(accepted);
      for (const [method, path] of [
        ['DELETE', accepted.links.self],
        ['POST', accepted.links.cancel],
      ] as const) {
        const problem = expectProblem(await server.send(method, path), 'intent_terminal');
        expect(problem).toMatchObject({ intent_id: accepted.id, links: accepted.links });
      }
      expect(await server.snapshot(accepted)).toEqual(ended);
      expect((await server.send('GET', accepted.links.result)).status).toBe(200);
    });

    it('ends the intent even when the handler takes no notice', async () => {
      const gate = Promise.withResolvers<object>();
      const started = Promise.withResolvers<void>();
      const operation = fixtureOperation({
        handle: () => {
          started.resolve();
          return gate.promise;
        },
      });
      const server = await harness.serve({
        operations: [operation],
        options: { cancelGraceMs: 50 },
      });
      const accepted = await server.submit();
      await started.promise;
      await server.send('DELETE', accepted.links.self);
      const ended = await server.ended(accepted);
      expect(ended.status).toBe('CANCELED');
      gate.resolve({ too: 'late' });
      expectProblem(await server.send('GET', accepted.links.result), 'intent_canceled');
      expect(await server.snapshot(accepted)).toEqual(ended);
    });
  });
}
