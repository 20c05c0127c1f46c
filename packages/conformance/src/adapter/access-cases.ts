import { describe, expect, it } from 'vitest';
import { expectProblem } from './expectations.ts';
import { echo } from './fixture-operation.ts';
import type { Harness } from './harness.ts';
import type { Answer } from './http-client.ts';
import type { Accepted } from './test-server.ts';

const UNKNOWN_ID = '01890a5d-ac96-774b-bcce-b302099a8057';
const ours = { authorization: 'Bearer tenant-a' };
const theirs = { authorization: 'Bearer tenant-b' };

type Ask = readonly [method: string, path: string];

function everyWay({ links }: Pick<Accepted, 'links'>): readonly Ask[] {
  return [
    ['GET', links.self],
    ['GET', links.events],
    ['GET', links.result],
    ['DELETE', links.self],
    ['POST', links.cancel],
    ['POST', `${links.self}/retry`],
  ];
}

function comparable({ status, headers, text }: Answer): unknown {
  return { status, headers: { ...headers, date: '' }, text };
}

/** Who may see and touch what. */
export function accessCases(harness: Harness): void {
  describe('access', () => {
    it('lets nobody past what guards the operation, whatever they ask for', async () => {
      const server = await harness.serve({ operations: [echo({ isProtected: true })] });
      const accepted = await server.submit('/op', {}, { headers: ours });
      await server.ended(accepted, { headers: ours });
      const asks = [['POST', `${server.prefix}/op`], ...everyWay(accepted)] as const;
      for (const [method, path] of asks) {
        const answer = await server.send(method, path, method === 'POST' ? { json: {} } : {});
        expect(answer.status, `${method} ${path}`).toBe(401);
        expect(answer.text).not.toContain('COMPLETED');
      }
      expect(await server.probe.store.list({ limit: 10 })).toHaveLength(1);
    });

    it("answers another owner's intent exactly like one that does not exist", async () => {
      const server = await harness.serve({ operations: [echo({ isProtected: true })] });
      const accepted = await server.submit('/op', {}, { headers: ours });
      const ended = await server.ended(accepted, { headers: ours });
      for (const [method, path] of everyWay(accepted)) {
        const foreign = await server.send(method, path, { headers: theirs });
        const unknown = await server.send(method, path.replace(accepted.id, UNKNOWN_ID), {
          headers: theirs,
        });
        expectProblem(foreign, 'intent_not_found');
        expect(comparable(foreign), `${method} ${path}`).toEqual(comparable(unknown));
        expect(foreign.text).not.toContain(accepted.id);
      }
      expect(await server.snapshot(accepted, { headers: ours })).toEqual(ended);
    });

    it('is forbidden to a caller that identify does not know', async () => {
      const server = await harness.serve({
        operations: [echo()],
        options: { identify: (request) => String(request.headers['x-user'] ?? '') },
      });
      const accepted = await server.submit('/op', {}, { headers: { 'x-user': 'u1' } });
      const asks = [['POST', `${server.prefix}/op`], ...everyWay(accepted)] as const;
      for (const [method, path] of asks) {
        const answer = await server.send(method, path, method === 'POST' ? { json: {} } : {});
        expectProblem(answer, 'owner_forbidden');
      }
    });

    it('asks authorize about every intent that is looked at', async () => {
      const asked: string[] = [];
      const server = await harness.serve({
        operations: [echo()],
        options: {
          authorize: (request, intent) => {
            asked.push(intent.id);
            return request.headers['x-may-see'] === 'yes';
          },
        },
      });
      const accepted = await server.submit();
      const without = await server.send('GET', accepted.links.self);
      expectProblem(without, 'intent_not_found');
      const allowed = await server.send('GET', accepted.links.self, {
        headers: { 'x-may-see': 'yes' },
      });
      expect(allowed.status).toBe(200);
      expect(asked).toEqual([accepted.id, accepted.id]);
    });
  });

  it('tells who may not see an intent nothing of it in place of a repeated submit', async () => {
    const server = await harness.serve({
      operations: [echo()],
      options: { authorize: ({ headers }) => headers['x-may-see'] === 'yes' },
    });
    const path = `${server.prefix}/op`;
    const key = { 'idempotency-key': 'k-1' };
    const accepted = await server.submit('/op', { a: 'secret' }, { headers: key });
    await server.ended(accepted, { headers: { 'x-may-see': 'yes' } });
    const wants = [{ prefer: 'wait=5' }, { accept: 'text/event-stream' }];
    for (const want of wants) {
      const answer = await server.send('POST', path, {
        json: { a: 'secret' },
        headers: { ...key, ...want },
      });
      expect(answer.status).toBe(202);
      expect(answer.headers['idempotency-replayed']).toBe('true');
      expect(answer.json).toEqual(accepted.answer.json);
    }
    const seen = await server.send('POST', path, {
      json: { a: 'secret' },
      headers: { ...key, prefer: 'wait=5', 'x-may-see': 'yes' },
    });
    expect(seen.status).toBe(200);
  });

  describe('paths', () => {
    it('answers 404 to an id that does not exist', async () => {
      const server = await harness.serve({ operations: [echo()] });
      const path = `${server.prefix}/op/${UNKNOWN_ID}`;
      for (const [method, suffix] of [
        ['GET', ''],
        ['GET', '/events'],
        ['GET', '/result'],
        ['DELETE', ''],
        ['POST', '/cancel'],
      ] as const) {
        expectProblem(await server.send(method, path + suffix), 'intent_not_found');
      }
    });

    it('answers 400 to an id that is mistyped', async () => {
      const server = await harness.serve({ operations: [echo()] });
      for (const id of [UNKNOWN_ID.toUpperCase(), UNKNOWN_ID.slice(0, -1), `${UNKNOWN_ID}0`]) {
        const answer = await server.send('GET', `${server.prefix}/op/${id}`);
        expectProblem(answer, 'intent_id_invalid');
      }
    });

    it("leaves paths that only look like its own to the app's routes", async () => {
      const server = await harness.serve({
        operations: [echo()],
        routes: [
          { method: 'GET', path: '/op', body: { own: 'list' } },
          { method: 'GET', path: '/op/latest', body: { own: 'latest' } },
          { method: 'POST', path: '/op/preview', body: { own: 'preview' } },
          { method: 'GET', path: '/op/latest/events', body: { own: 'latest events' } },
          { method: 'GET', path: '/operations', body: { own: 'operations' } },
        ],
      });
      const own = async (method: string, path: string): Promise<unknown> => {
        const answer = await server.send(method, server.prefix + path);
        expect(answer.status, path).toBe(200);
        return answer.json;
      };
      expect(await own('GET', '/op')).toEqual({ own: 'list' });
      expect(await own('GET', '/op/latest')).toEqual({ own: 'latest' });
      expect(await own('POST', '/op/preview')).toEqual({ own: 'preview' });
      expect(await own('GET', '/op/latest/events')).toEqual({ own: 'latest events' });
      expect(await own('GET', '/operations')).toEqual({ own: 'operations' });
    });

    it("leaves paths that nobody has to the framework's own 404", async () => {
      const server = await harness.serve({ operations: [echo()] });
      for (const path of ['/op/nothing', `/op/${UNKNOWN_ID}/nothing`, '/op/a/b/c', '/nothing']) {
        const answer = await server.send('GET', server.prefix + path);
        expect(answer.status, path).toBe(404);
        expect(answer.headers['content-type'] ?? '').not.toContain('problem');
      }
    });

    it('answers 405 with Allow to a method that an intent does not have', async () => {
      const server = await harness.serve({ operations: [echo()] });
      const { links } = await server.submit();
      for (const [method, path, allow] of [
        ['PUT', links.self, 'GET, DELETE'],
        ['POST', links.events, 'GET'],
        ['DELETE', links.result, 'GET'],
        ['GET', links.cancel, 'POST'],
        ['GET', `${links.self}/retry`, 'POST'],
      ] as const) {
        const answer = await server.send(method, path);
        expectProblem(answer, 'method_not_allowed');
        expect(answer.headers.allow).toBe(allow);
      }
    });
  });
}
