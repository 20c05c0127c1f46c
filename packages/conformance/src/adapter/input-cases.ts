import type { ProblemCode } from '@durable-api/protocol';
import { describe, expect, it } from 'vitest';
import { expectAlive, expectProblem } from './expectations.ts';
import { echo } from './fixture-operation.ts';
import type { Harness } from './harness.ts';
import type { SendOptions } from './http-client.ts';

interface BadSubmit {
  readonly what: string;
  readonly code: ProblemCode | 'poison';
  readonly send: SendOptions;
}

const BAD_SUBMITS: readonly BadSubmit[] = [
  { what: 'malformed JSON', code: 'body_unreadable', send: { body: '{"a":' } },
  {
    what: 'a body of 300 KiB',
    code: 'payload_too_large',
    send: { json: { text: 'x'.repeat(300 * 1024) } },
  },
  {
    what: 'a body nested 65 levels deep',
    code: 'payload_too_deep',
    send: { body: `${'['.repeat(65)}${']'.repeat(65)}` },
  },
  {
    what: 'a key __proto__',
    code: 'poison',
    send: { body: '{"a":{"__proto__":{"isAdmin":true}}}' },
  },
  {
    what: 'a key constructor.prototype',
    code: 'poison',
    send: { body: '{"a":{"constructor":{"prototype":{"isAdmin":true}}}}' },
  },
  { what: 'a NUL character', code: 'payload_nul', send: { body: '{"a":["\\u0000"]}' } },
  { what: 'a lone surrogate', code: 'payload_surrogate', send: { body: '{"a":"\\ud800"}' } },
  {
    what: 'a lone surrogate in a key',
    code: 'payload_surrogate',
    send: { body: '{"\\udc00":1}' },
  },
  {
    what: 'an unterminated Idempotency-Key',
    code: 'idempotency_key_invalid',
    send: { json: {}, headers: { 'idempotency-key': '"half' } },
  },
  {
    what: 'an Idempotency-Key of 256 characters',
    code: 'idempotency_key_invalid',
    send: { json: {}, headers: { 'idempotency-key': 'k'.repeat(256) } },
  },
  {
    what: 'an empty Idempotency-Key',
    code: 'idempotency_key_invalid',
    send: { json: {}, headers: { 'idempotency-key': '' } },
  },
  {
    what: 'a Prefer that is none',
    code: 'prefer_invalid',
    send: { json: {}, headers: { prefer: 'wait=soon' } },
  },
];

/** What is refused. */
export function inputCases(harness: Harness): void {
  describe('a bad request', () => {
    for (const { what, code, send } of BAD_SUBMITS) {
      it(`with ${what} is a problem with advice, stores nothing, and the API goes on`, async () => {
        const server = await harness.serve({ operations: [echo()] });
        const problem = code === 'poison' ? harness.poisonProblem : code;
        const response = await server.send('POST', `${server.prefix}/op`, send);
        expectProblem(response, problem);
        if (code === 'poison') expect(response.text).toMatch(/__proto__|constructor/);
        expect(await server.probe.store.list({ limit: 10 })).toEqual([]);
        expect(Reflect.get({}, 'isAdmin'), 'no prototype was polluted').toBeUndefined();
        await expectAlive(server);
      });
    }

    it('with a Last-Event-ID, since or wait_seconds that is no number is a problem', async () => {
      const server = await harness.serve({ operations: [echo()] });
      const { links } = await server.submit();
      const header = await server.send('GET', links.events, {
        headers: { 'last-event-id': 'abc' },
      });
      expectProblem(header, 'last_event_id_invalid');
      for (const query of ['since=-1', 'since=x', 'wait_seconds=1.5']) {
        expectProblem(await server.send('GET', `${links.events}?${query}`), 'query_invalid');
      }
      expectProblem(
        await server.send('GET', links.self, { headers: { prefer: 'wait=-1' } }),
        'prefer_invalid',
      );
      await expectAlive(server);
    });

    it('takes a body at the limits', async () => {
      const server = await harness.serve({ operations: [echo()] });
      const deep = `${'['.repeat(64)}${']'.repeat(64)}`;
      const accepted = await server.submit('/op', undefined, { body: deep });
      await server.ended(accepted);
      const result = await server.send('GET', accepted.links.result);
      expect(result.json).toMatchObject({ body: JSON.parse(deep) });
    });

    it('that exceeds limits of the options is refused by them', async () => {
      const server = await harness.serve({
        operations: [echo()],
        options: { limits: { maxPayloadBytes: 100, maxPayloadDepth: 2 } },
      });
      const path = `${server.prefix}/op`;
      const large = await server.send('POST', path, { json: { text: 'x'.repeat(100) } });
      expectProblem(large, 'payload_too_large');
      const deep = await server.send('POST', path, { json: { a: { b: {} } } });
      expectProblem(deep, 'payload_too_deep');
      await expectAlive(server);
    });
  });
}
