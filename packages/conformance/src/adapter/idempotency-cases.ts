import { describe, expect, it } from 'vitest';
import { expectProblem } from './expectations.ts';
import { echo, fixtureOperation, type FixtureOperation } from './fixture-operation.ts';
import type { Harness } from './harness.ts';

interface Counted {
  readonly operation: FixtureOperation;
  readonly count: () => number;
}

function counted(given: Partial<FixtureOperation> = {}): Counted {
  let calls = 0;
  const operation = fixtureOperation({ ...given, handle: async () => ({ call: ++calls }) });
  return { operation, count: () => calls };
}

/** `Idempotency-Key`. */
export function idempotencyCases(harness: Harness): void {
  describe('an Idempotency-Key', () => {
    it('gives the same answer to the same request, marked as replayed', async () => {
      const { operation, count } = counted();
      const server = await harness.serve({ operations: [operation] });
      const headers = { 'idempotency-key': '"k-1"' };
      const first = await server.submit('/op', { a: 1, b: 2 }, { headers });
      await server.ended(first);
      const again = await server.submit('/op', { b: 2, a: 1 }, { headers });
      expect(first.answer.headers['idempotency-replayed']).toBeUndefined();
      expect(again.answer.headers['idempotency-replayed']).toBe('true');
      expect(again.answer.text).toBe(first.answer.text);
      expect(again.answer.headers.location).toBe(first.answer.headers.location);
      expect(count()).toBe(1);
    });

    it('is the same key bare and as a quoted string', async () => {
      const { operation } = counted();
      const server = await harness.serve({ operations: [operation] });
      const bare = await server.submit('/op', {}, { headers: { 'idempotency-key': 'k-1' } });
      const quoted = await server.submit('/op', {}, { headers: { 'idempotency-key': '"k-1"' } });
      expect(quoted.id).toBe(bare.id);
    });

    it('replays the finished response to who waits', async () => {
      const { operation, count } = counted({ status: 201 });
      const server = await harness.serve({ operations: [operation] });
      const headers = { 'idempotency-key': 'k-1', prefer: 'wait=10' };
      const first = await server.send('POST', `${server.prefix}/op`, { json: {}, headers });
      const again = await server.send('POST', `${server.prefix}/op`, { json: {}, headers });
      expect([first.status, again.status]).toEqual([201, 201]);
      expect(again.text).toBe(first.text);
      expect(again.headers['idempotency-replayed']).toBe('true');
      expect(count()).toBe(1);
    });

    it('replays the events to who streams', async () => {
      const { operation, count } = counted();
      const server = await harness.serve({ operations: [operation] });
      const options = { method: 'POST', json: {}, headers: { 'idempotency-key': 'k-1' } };
      const first = await server.observe(`${server.prefix}/op`, options);
      const events = await first.rest();
      const again = await server.observe(`${server.prefix}/op`, options);
      expect(again.headers['idempotency-replayed']).toBe('true');
      expect(await again.rest()).toEqual(events);
      expect(count()).toBe(1);
    });

    it('answers 422 to another body, and to another query', async () => {
      const server = await harness.serve({ operations: [echo()] });
      const headers = { 'idempotency-key': 'k-1' };
      const first = await server.submit('/op', { a: 1 }, { headers });
      for (const [path, json] of [
        ['/op', { a: 2 }],
        ['/op?x=1', { a: 1 }],
      ] as const) {
        const other = await server.send('POST', server.prefix + path, { json, headers });
        expectProblem(other, 'idempotency_key_reused');
      }
      const same = await server.submit('/op', { a: 1 }, { headers });
      expect(same.id).toBe(first.id);
    });

    it('makes one intent and one handler call of 20 requests at once', async () => {
      const { operation, count } = counted();
      const server = await harness.serve({ operations: [operation] });
      const headers = { 'idempotency-key': 'race' };
      const accepted = await Promise.all(
        Array.from({ length: 20 }, () => server.submit('/op', { a: 1 }, { headers })),
      );
      expect(new Set(accepted.map(({ id }) => id)).size).toBe(1);
      const replayed = accepted.filter(
        ({ answer }) => answer.headers['idempotency-replayed'] === 'true',
      );
      expect(replayed).toHaveLength(19);
      await server.ended(accepted[0]!);
      expect(await server.probe.store.list({ limit: 10 })).toHaveLength(1);
      expect(count()).toBe(1);
    });

    it('belongs to one tenant and one operation', async () => {
      const one = echo({ path: '/one', isProtected: true });
      const two = echo({ path: '/two', isProtected: true });
      const server = await harness.serve({ operations: [one, two] });
      const ids = new Set<string>();
      for (const tenant of ['tenant-a', 'tenant-b']) {
        for (const path of ['/one', '/two']) {
          const headers = { authorization: `Bearer ${tenant}`, 'idempotency-key': 'k-1' };
          ids.add((await server.submit(path, {}, { headers })).id);
        }
      }
      expect(ids.size).toBe(4);
    });

    it('is asked for where the operation requires it', async () => {
      const { operation, count } = counted({ options: { requireIdempotencyKey: true } });
      const server = await harness.serve({ operations: [operation] });
      const without = await server.send('POST', `${server.prefix}/op`, { json: {} });
      expectProblem(without, 'idempotency_key_required');
      expect(count()).toBe(0);
      await server.submit('/op', {}, { headers: { 'idempotency-key': 'k-1' } });
    });
  });
}
