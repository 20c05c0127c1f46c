import { snapshotSchema } from '@durable-api/protocol';
import { describe, expect, it } from 'vitest';
import { expectProblem } from './expectations.ts';
import { echo, fixtureOperation } from './fixture-operation.ts';
import type { Harness } from './harness.ts';

/** What a handler starts sees a request like any other, and is observed like any other intent. */
export function childrenCases(harness: Harness): void {
  describe('a child that a handler starts', () => {
    it('has the request that its parent describes, and gives it its answer', async () => {
      const parent = fixtureOperation({
        path: '/parent',
        handle: async ({ body, durable: { start } }) => {
          const options = { params: { id: 'a b' }, query: { deep: 'yes' } };
          const child = await start('child', { from: body }, options);
          return { id: child.intentId, answer: await child.result() };
        },
      });
      const child = echo({ path: '/child/:id', name: 'child' });
      const server = await harness.serve({ operations: [parent, child] });
      const accepted = await server.submit('/parent', { n: 1 });
      expect(await server.ended(accepted)).toMatchObject({ status: 'COMPLETED' });
      const result = await server.send('GET', accepted.links.result);
      const { id, answer } = Object(result.json);
      expect(answer).toEqual({
        params: { id: 'a b' },
        query: { deep: 'yes' },
        body: { from: { n: 1 } },
      });
      const self = `${server.prefix}/child/a%20b/${id}`;
      const snapshot = snapshotSchema.parse((await server.send('GET', self)).json);
      expect(snapshot).toMatchObject({ operation: 'child', parent_intent_id: accepted.id });
      expect((await server.snapshot(accepted)).parent_intent_id).toBeUndefined();
    });

    it('is waited for without a place, across a restart, and started once', async () => {
      const gate = Promise.withResolvers<void>();
      const started: string[] = [];
      const parent = fixtureOperation({
        path: '/parent',
        handle: async ({ durable: { start, attempt } }) => {
          const child = await start('child');
          return { attempt, answer: await child.result() };
        },
      });
      const child = fixtureOperation({
        path: '/child',
        handle: async ({ durable: { intentId } }) => {
          started.push(intentId);
          await gate.promise;
          return { n: 1 };
        },
      });
      const first = await harness.serve({ operations: [parent, child] });
      const accepted = await first.submit('/parent');
      await expect.poll(async () => (await first.snapshot(accepted)).status).toBe('WAITING');
      expect(await first.snapshot(accepted)).toMatchObject({ waiting_reason: 'WAITING_FOR_TOOL' });
      await first.stop(0);
      gate.resolve();
      const second = await harness.serve({ operations: [parent, child], data: first.data });
      await expect.poll(async () => (await second.snapshot(accepted)).status).toBe('COMPLETED');
      const result = await second.send('GET', accepted.links.result);
      expect(result.json).toEqual({ attempt: 2, answer: { n: 1 } });
      expect(new Set(started).size).toBe(1);
    });

    it('that fails has its parent fail with a code, unless that catches it', async () => {
      const parent = fixtureOperation({
        path: '/parent',
        handle: async ({ body, durable: { start } }) => {
          const child = await start('child');
          const isCaught = Object(body).isCaught === true;
          const result = child.result();
          return isCaught ? result.catch((error: Error) => ({ name: error.name })) : result;
        },
      });
      const child = fixtureOperation({
        path: '/child',
        options: { retries: 0 },
        handle: () => Promise.reject(new Error('It broke.')),
      });
      const server = await harness.serve({ operations: [parent, child] });
      const failed = await server.ended(await server.submit('/parent'));
      expect(failed).toMatchObject({ status: 'FAILED', error: { code: 'child_failed' } });
      const caught = await server.submit('/parent', { isCaught: true });
      expect(await server.ended(caught)).toMatchObject({ status: 'COMPLETED' });
      const result = await server.send('GET', caught.links.result);
      expect(result.json).toEqual({ name: 'ChildError' });
    });

    it('is canceled with its parent, and belongs to the same owner', async () => {
      const parent = fixtureOperation({
        path: '/parent',
        isProtected: true,
        handle: async ({ durable: { start } }) => (await start('child')).result(),
      });
      const child = fixtureOperation({
        path: '/child',
        isProtected: true,
        handle: async ({ durable: { waitFor } }) => waitFor('never'),
      });
      const server = await harness.serve({ operations: [parent, child] });
      const headers = { authorization: 'Bearer tenant-a' };
      const accepted = await server.submit('/parent', {}, { headers });
      const children = async (): Promise<string[]> => {
        const { links } = accepted;
        const list = { headers: { ...headers, accept: 'application/json' } };
        const { events } = Object((await server.send('GET', links.events, list)).json);
        return events
          .filter((event: { event_type: string }) => event.event_type === 'intent.child_started')
          .map((event: { details: { intent_id: string } }) => event.details.intent_id);
      };
      await expect.poll(children).toHaveLength(1);
      const [id] = await children();
      const self = `${server.prefix}/child/${id}`;
      const other = { authorization: 'Bearer tenant-b' };
      expectProblem(await server.send('GET', self, { headers: other }), 'intent_not_found');
      await server.send('POST', accepted.links.cancel, { headers });
      expect(await server.ended(accepted, { headers })).toMatchObject({ status: 'CANCELED' });
      await expect
        .poll(async () => Object((await server.send('GET', self, { headers })).json).status)
        .toBe('CANCELED');
    });
  });
}
