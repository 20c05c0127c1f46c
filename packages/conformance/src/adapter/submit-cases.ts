import { submittedSchema } from '@durable-api/protocol';
import { describe, expect, it } from 'vitest';
import { abortReason, expectProblem } from './expectations.ts';
import { echo, fixtureOperation } from './fixture-operation.ts';
import type { Harness } from './harness.ts';

/** `POST P`: the 202, the preference to wait, the stream. */
export function submitCases(harness: Harness): void {
  describe('POST to an operation', () => {
    it('answers 202 with the intent, its links and when to look again', async () => {
      const server = await harness.serve({ operations: [echo()] });
      const answer = await server.send('POST', `${server.prefix}/op`, { json: { a: 1 } });
      expect(answer.status).toBe(202);
      expect(answer.headers['content-type']).toMatch(/^application\/json\b/);
      const body = submittedSchema.strict().parse(answer.json);
      expect(body.intent_id).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-/);
      expect(answer.headers['intent-id']).toBe(body.intent_id);
      expect(answer.headers['retry-after']).toBe('1');
      expect(answer.headers['cache-control']).toBe('no-store');
      const self = `${server.prefix}/op/${body.intent_id}`;
      expect(answer.headers.location, 'relative to the origin').toBe(self);
      expect(body.links).toEqual({
        self,
        events: `${self}/events`,
        result: `${self}/result`,
        cancel: `${self}/cancel`,
      });
      expect(answer.headers['link']).toContain(`<${self}/events>; rel="monitor"`);
    });

    it('hands parameters, query and body to the handler as they were sent', async () => {
      const server = await harness.serve({ operations: [echo({ path: '/tenants/:tenant/op' })] });
      const body = { list: [1, 'two', null], deep: { ключ: '\u{1F600}' } };
      const accepted = await server.submit('/tenants/a%20b/op?x=1&y=two', body);
      expect(accepted.links.self).toBe(`${server.prefix}/tenants/a%20b/op/${accepted.id}`);
      await server.ended(accepted);
      const result = await server.send('GET', accepted.links.result);
      expect(result.json).toEqual({
        params: { tenant: 'a b' },
        query: { x: '1', y: 'two' },
        body,
      });
    });

    it('accepts a request without a body', async () => {
      const server = await harness.serve({ operations: [echo()] });
      const answer = await server.send('POST', `${server.prefix}/op`, {
        headers: { prefer: 'wait=10' },
      });
      expect(answer.status).toBe(200);
      expect(answer.json).toMatchObject({ params: {}, query: {} });
    });

    it('answers only after the store has committed', async () => {
      const server = await harness.serve({ operations: [echo()] });
      server.probe.break('hangs', ['submit']);
      let answered = false;
      const answer = server.submit().then((accepted) => {
        answered = true;
        return accepted;
      });
      const other = await server.send('GET', `${server.prefix}/nowhere`);
      expect(other.status).toBe(404);
      expect(answered).toBe(false);
      server.probe.heal();
      await server.ended(await answer);
    });

    it('makes an intent per request, and each runs once', async () => {
      const bodies: unknown[] = [];
      const operation = fixtureOperation({ handle: async ({ body }) => void bodies.push(body) });
      const server = await harness.serve({ operations: [{ ...operation, status: 204 }] });
      const sent = Array.from({ length: 20 }, (_, n) => ({ n }));
      const accepted = await Promise.all(sent.map((body) => server.submit('/op', body)));
      expect(new Set(accepted.map(({ id }) => id)).size).toBe(20);
      for (const one of accepted) expect((await server.ended(one)).status).toBe('COMPLETED');
      expect(bodies).toHaveLength(20);
      expect(bodies).toEqual(expect.arrayContaining(sent));
    });

    it('serves two operations side by side', async () => {
      const one = fixtureOperation({ path: '/one', handle: async () => ({ is: 'one' }) });
      const two = fixtureOperation({ path: '/two', handle: async () => ({ is: 'two' }) });
      const server = await harness.serve({ operations: [one, two] });
      const accepted = [await server.submit('/one'), await server.submit('/two')];
      for (const [i, is] of ['one', 'two'].entries()) {
        await server.ended(accepted[i]!);
        expect((await server.send('GET', accepted[i]!.links.result)).json).toEqual({ is });
      }
      const strange = `${server.prefix}/two/${accepted[0]!.id}`;
      expectProblem(await server.send('GET', strange), 'intent_not_found');
    });

    it('stores no credentials of the request', async () => {
      const data = Promise.withResolvers<void>();
      const operation = fixtureOperation({ handle: () => data.promise.then(() => ({})) });
      const server = await harness.serve({ operations: [operation] });
      const { id } = await server.submit(
        '/op',
        {},
        {
          headers: {
            authorization: 'Bearer secret-1',
            cookie: 'sid=secret-2',
            'proxy-authorization': 'Basic secret-3',
            'x-api-key': 'secret-4',
          },
        },
      );
      const [found] = await server.probe.store.get({ ids: [id], include: 'input' });
      expect(found?.input).toBeTypeOf('string');
      expect(found?.input).not.toContain('secret');
      data.resolve();
    });
  });

  describe('POST with Prefer: wait', () => {
    it("answers the handler's own response when it ends in time", async () => {
      const operation = echo({ status: 201, headers: { 'x-report': 'r7' } });
      const server = await harness.serve({ operations: [operation] });
      const answer = await server.send('POST', `${server.prefix}/op`, {
        json: { a: 1 },
        headers: { prefer: 'wait=10' },
      });
      expect(answer.status).toBe(201);
      expect(answer.json).toMatchObject({ body: { a: 1 } });
      expect(answer.headers['x-report']).toBe('r7');
      expect(answer.headers['preference-applied']).toBe('wait=10');
      const id = String(answer.headers['intent-id']);
      expect(answer.headers.location).toBe(`${server.prefix}/op/${id}`);
      const stored = await server.send('GET', `${server.prefix}/op/${id}/result`);
      expect(stored.body).toEqual(answer.body);
    });

    it('answers 202 when the handler is slower, which goes on', async () => {
      const gate = Promise.withResolvers<object>();
      const operation = fixtureOperation({ handle: () => gate.promise });
      const server = await harness.serve({ operations: [operation] });
      const accepted = await server.submit('/op', {}, { headers: { prefer: 'wait=1' } });
      expect(accepted.answer.headers['preference-applied']).toBeUndefined();
      gate.resolve({ late: true });
      await server.ended(accepted);
      expect((await server.send('GET', accepted.links.result)).json).toEqual({ late: true });
    });

    it('answers 202 at once for wait=0 and for respond-async', async () => {
      const operation = fixtureOperation({
        handle: async ({ durable }) => ({ reason: String(await abortReason(durable.signal)) }),
      });
      const server = await harness.serve({ operations: [operation] });
      await server.submit('/op', {}, { headers: { prefer: 'wait=0' } });
      await server.submit('/op', {}, { headers: { prefer: 'respond-async' } });
    });

    it('answers the failure as a problem when the operation fails in time', async () => {
      const operation = fixtureOperation({
        options: { retries: 0 },
        handle: () => Promise.reject(Object.assign(new Error('No paper.'), { expose: true })),
      });
      const server = await harness.serve({ operations: [operation] });
      const answer = await server.send('POST', `${server.prefix}/op`, {
        json: {},
        headers: { prefer: 'wait=10' },
      });
      const problem = expectProblem(answer, 'intent_failed');
      expect(problem.error).toMatchObject({ code: 'handler_error', message: 'No paper.' });
      expect(problem.links?.self).toBe(answer.headers.location);
    });

    it('stops waiting when the intent is canceled', async () => {
      const started = Promise.withResolvers<string>();
      const operation = fixtureOperation({
        handle: async ({ durable }) => {
          started.resolve(durable.intentId);
          throw await abortReason(durable.signal);
        },
      });
      const server = await harness.serve({ operations: [operation] });
      const waiting = server.send('POST', `${server.prefix}/op`, {
        json: {},
        headers: { prefer: 'wait=30' },
      });
      const canceled = await server.send('DELETE', `${server.prefix}/op/${await started.promise}`);
      expect(canceled.status).toBe(202);
      expectProblem(await waiting, 'intent_canceled');
    });
  });

  describe('POST with Accept: text/event-stream', () => {
    it('streams the events of the new intent from the first on', async () => {
      const server = await harness.serve({ operations: [echo()] });
      const stream = await server.observe(`${server.prefix}/op`, { method: 'POST', json: {} });
      expect(stream.status).toBe(200);
      expect(stream.headers['content-type']).toBe('text/event-stream');
      const id = String(stream.headers['intent-id']);
      expect(stream.headers.location).toBe(`${server.prefix}/op/${id}`);
      const events = await stream.rest();
      expect(events[0]).toMatchObject({ id: '1', event: 'intent.created' });
      expect(events[0]?.data.intent_id).toBe(id);
      expect(events.at(-1)).toMatchObject({
        event: 'intent.completed',
        data: { status: 'COMPLETED', details: { status_code: 200 } },
      });
      expect(events.map((event) => event.data.seq)).toEqual(events.map((_, i) => i + 1));
      expect(stream.isComplete).toBe(true);
    });
  });
}
