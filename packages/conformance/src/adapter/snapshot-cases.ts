import { snapshotSchema } from '@durable-api/protocol';
import { describe, expect, it } from 'vitest';
import { expectProblem } from './expectations.ts';
import { echo, fixtureOperation } from './fixture-operation.ts';
import type { Harness } from './harness.ts';

/** `GET P/{id}` and `GET P/{id}/result`. */
export function snapshotCases(harness: Harness): void {
  describe('GET of an intent', () => {
    it('answers the snapshot, with an ETag and with when to ask again', async () => {
      const gate = Promise.withResolvers<object>();
      const started = Promise.withResolvers<void>();
      const operation = fixtureOperation({
        name: 'slow report',
        handle: ({ durable }) => {
          durable.progress({ fraction: 0.5, message: 'half' });
          started.resolve();
          return gate.promise;
        },
      });
      const server = await harness.serve({ operations: [operation] });
      const accepted = await server.submit();
      await started.promise;
      const stream = await server.observe(accepted.links.events);
      await stream.upTo('intent.progress');
      const answer = await server.send('GET', accepted.links.self);
      expect(answer.status).toBe(200);
      const snapshot = snapshotSchema.strict().parse(answer.json);
      expect(snapshot).toMatchObject({
        intent_id: accepted.id,
        operation: 'slow report',
        status: 'IN_PROGRESS',
        attempt: 1,
        progress: { fraction: 0.5, message: 'half' },
        links: accepted.links,
      });
      expect(answer.headers.etag).toBe(`"${accepted.id}-${snapshot.seq}"`);
      expect(answer.headers['retry-after']).toBe('1');
      expect(answer.headers['cache-control']).toBe('private, no-cache');
      gate.resolve({});
      await server.ended(accepted);
      const after = await server.send('GET', accepted.links.self);
      expect(after.json).toMatchObject({ status: 'COMPLETED' });
      expect(after.headers['retry-after'], 'nothing will change').toBeUndefined();
    });

    it('answers 304 without a body to who has it, and 200 to who has an older one', async () => {
      const server = await harness.serve({ operations: [echo()] });
      const accepted = await server.submit();
      await server.ended(accepted);
      const { headers } = await server.send('GET', accepted.links.self);
      const etag = String(headers.etag);
      for (const known of [etag, `W/${etag}`, `"other", ${etag}`, '*']) {
        const same = await server.send('GET', accepted.links.self, {
          headers: { 'if-none-match': known },
        });
        expect(same.status).toBe(304);
        expect(same.body).toHaveLength(0);
        expect(same.headers.etag).toBe(etag);
      }
      const older = await server.send('GET', accepted.links.self, {
        headers: { 'if-none-match': `"${accepted.id}-1"` },
      });
      expect(older.status).toBe(200);
    });

    it('answers HEAD with the same head and no body', async () => {
      const server = await harness.serve({ operations: [echo()] });
      const accepted = await server.submit();
      await server.ended(accepted);
      const full = await server.send('GET', accepted.links.self);
      const head = await server.send('HEAD', accepted.links.self);
      expect(head.status).toBe(200);
      expect(head.body).toHaveLength(0);
      expect(head.headers.etag).toBe(full.headers.etag);
      expect(head.headers['content-length']).toBe(full.headers['content-length']);
    });

    it('waits for the next change with Prefer: wait', async () => {
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
      await started.promise;
      const before = await server.send('GET', accepted.links.self);
      const read = server.probe.next('get');
      const polling = server.send('GET', accepted.links.self, {
        headers: { prefer: 'wait=30', 'if-none-match': String(before.headers.etag) },
      });
      await read;
      gate.resolve({});
      const answer = await polling;
      expect(answer.status).toBe(200);
      expect(answer.headers['preference-applied']).toBe('wait=30');
      expect(answer.json).toMatchObject({ status: 'COMPLETED' });
    });

    it('answers 304 when the wait is over and nothing has changed', async () => {
      const gate = Promise.withResolvers<object>();
      const operation = fixtureOperation({ handle: () => gate.promise });
      const server = await harness.serve({ operations: [operation] });
      const accepted = await server.submit();
      const stream = await server.observe(accepted.links.events);
      await stream.upTo('intent.in_progress');
      stream.leave();
      const before = await server.send('GET', accepted.links.self);
      const answer = await server.send('GET', accepted.links.self, {
        headers: { prefer: 'wait=1', 'if-none-match': String(before.headers.etag) },
      });
      expect(answer.status).toBe(304);
      gate.resolve({});
    });
  });

  describe('GET of a result', () => {
    it("is the handler's own response: status, headers and body", async () => {
      const bytes = Buffer.from(Array.from({ length: 256 }, (_, i) => i));
      const operation = fixtureOperation({
        status: 203,
        headers: { 'content-type': 'application/octet-stream', 'x-report': 'r7' },
        handle: async () => bytes,
      });
      const server = await harness.serve({ operations: [operation] });
      const accepted = await server.submit();
      await server.ended(accepted);
      const answer = await server.send('GET', accepted.links.result);
      expect(answer.status).toBe(203);
      expect(answer.headers['content-type']).toBe('application/octet-stream');
      expect(answer.headers['x-report']).toBe('r7');
      expect(answer.headers['intent-id']).toBe(accepted.id);
      expect(Buffer.compare(answer.body, bytes)).toBe(0);
      const again = await server.send('GET', accepted.links.result);
      expect(Buffer.compare(again.body, bytes), 'it can be fetched again').toBe(0);
    });

    it('is 409 with links before the end', async () => {
      const gate = Promise.withResolvers<object>();
      const operation = fixtureOperation({ handle: () => gate.promise });
      const server = await harness.serve({ operations: [operation] });
      const accepted = await server.submit();
      const stream = await server.observe(accepted.links.events);
      await stream.upTo('intent.in_progress');
      stream.leave();
      const answer = await server.send('GET', accepted.links.result);
      const problem = expectProblem(answer, 'intent_not_finished');
      expect(problem).toMatchObject({
        intent_id: accepted.id,
        intent_status: 'IN_PROGRESS',
        links: accepted.links,
        retryable: true,
      });
      expect(answer.headers['retry-after']).toBe('1');
      gate.resolve({});
    });

    it('is the stored failure after FAILED', async () => {
      const operation = fixtureOperation({
        options: { retries: 0 },
        handle: () => Promise.reject(new Error('The printer burns.')),
      });
      const server = await harness.serve({ operations: [operation] });
      const accepted = await server.submit();
      const ended = await server.ended(accepted);
      expect(ended.error).toMatchObject({ code: 'handler_error', retryable: true });
      const problem = expectProblem(
        await server.send('GET', accepted.links.result),
        'intent_failed',
      );
      expect(problem.error).toEqual(ended.error);
    });
  });
}
