import { describe, expect, it } from 'vitest';
import { expectProblem } from './expectations.ts';
import { fixtureOperation } from './fixture-operation.ts';
import type { Harness } from './harness.ts';

/** What a handler may use beside its request, the same on every framework. */
export function contextCases(harness: Harness): void {
  describe('a step of a handler', () => {
    it('runs once, and a later attempt is given its value', async () => {
      const ran: string[] = [];
      const operation = fixtureOperation({
        handle: async ({ durable: { step, attempt } }) => {
          const [a, b] = await Promise.all([
            step('a', () => (ran.push('a'), { n: 1 })),
            step('b', async () => (ran.push('b'), [2])),
          ]);
          if (attempt === 1) throw new Error('Not now.');
          return { a, b, attempt };
        },
      });
      const server = await harness.serve({ operations: [operation] });
      const accepted = await server.submit();
      expect(await server.ended(accepted)).toMatchObject({ status: 'COMPLETED' });
      const result = await server.send('GET', accepted.links.result);
      expect(result.json).toEqual({ a: { n: 1 }, b: [2], attempt: 2 });
      expect(ran.toSorted()).toEqual(['a', 'b']);
    });

    it('is remembered by a server that was started anew', async () => {
      const ran: string[] = [];
      const gate = Promise.withResolvers<void>();
      const operation = fixtureOperation({
        handle: async ({ durable: { step, attempt, signal } }) => {
          const value = await step('once', () => (ran.push('once'), 'remembered'));
          if (attempt > 1) return { value };
          gate.resolve();
          return new Promise((_, reject) => {
            signal.addEventListener('abort', () => reject(signal.reason), { once: true });
          });
        },
      });
      const first = await harness.serve({ operations: [operation] });
      const accepted = await first.submit();
      await gate.promise;
      await first.stop(0);
      const second = await harness.serve({ operations: [operation], data: first.data });
      // Also before a request has come by which the adapter would know its app.
      await expect.poll(async () => (await second.snapshot(accepted)).status).toBe('COMPLETED');
      const result = await second.send('GET', accepted.links.result);
      expect(result.json).toEqual({ value: 'remembered' });
      expect(ran).toEqual(['once']);
    });

    it('that cannot work fails the intent with a code, and is not tried again', async () => {
      const operation = fixtureOperation({
        handle: async ({ durable: { step } }) => step('a', () => ({ at: new Date(0) })),
      });
      const server = await harness.serve({ operations: [operation] });
      const ended = await server.ended(await server.submit());
      expect(ended).toMatchObject({
        status: 'FAILED',
        attempt: 1,
        error: { code: 'step_not_json' },
      });
    });
  });

  describe('a handler that waits', () => {
    it('for a time gives up its place, and goes on by itself', async () => {
      const operation = fixtureOperation({
        handle: async ({ durable: { sleep, step, attempt } }) => {
          const first = await step('first', () => attempt);
          await sleep(1_200);
          return { first, attempt };
        },
      });
      const server = await harness.serve({ operations: [operation] });
      const accepted = await server.submit();
      await expect.poll(async () => (await server.snapshot(accepted)).status).toBe('WAITING');
      const snapshot = await server.snapshot(accepted);
      expect(snapshot).toMatchObject({ waiting_reason: 'WAITING_FOR_TIME' });
      expect(snapshot.resume_at).toBeDefined();
      expect(await server.ended(accepted)).toMatchObject({ status: 'COMPLETED', attempt: 2 });
      const result = await server.send('GET', accepted.links.result);
      expect(result.json).toEqual({ first: 1, attempt: 2 });
    });

    it('for a signal is given it, once per idempotency key, by another server', async () => {
      const task = { title: 'Approve it' };
      const operation = fixtureOperation({
        handle: async ({ durable: { waitFor } }) => ({
          a: await waitFor('decision', { task }),
          b: await waitFor('decision'),
        }),
      });
      const first = await harness.serve({ operations: [operation] });
      const accepted = await first.submit();
      const url = `${accepted.links.self}/signals/decision`;
      await expect.poll(async () => (await first.snapshot(accepted)).status).toBe('WAITING');
      expect(await first.snapshot(accepted)).toMatchObject({ waiting_reason: 'WAITING_FOR_HUMAN' });
      await first.stop(0);
      const server = await harness.serve({ operations: [operation], data: first.data });
      const json = { approved: true };
      const headers = { 'idempotency-key': 'k1' };
      const sent = await server.send('POST', url, { json, headers });
      expect(sent.status).toBe(202);
      expect(sent.json).toMatchObject({ ok: true, intent_id: accepted.id, signal: 'decision' });
      const again = await server.send('POST', url, { json, headers });
      expect(again.json).toEqual(sent.json);
      expect(again.headers['idempotency-replayed']).toBe('true');
      expectProblem(
        await server.send('POST', url, { json: { other: 1 }, headers }),
        'idempotency_key_reused',
      );
      await server.send('POST', url, { json: { last: true } });
      expect(await server.ended(accepted)).toMatchObject({ status: 'COMPLETED' });
      const result = await server.send('GET', accepted.links.result);
      expect(result.json).toEqual({ a: { approved: true }, b: { last: true } });
      expectProblem(await server.send('POST', url, { json }), 'intent_terminal');
    });

    it('for a person lets who prefers to wait go at once', async () => {
      const operation = fixtureOperation({
        handle: async ({ durable: { waitFor } }) => waitFor('a', { reason: 'WAITING_FOR_HUMAN' }),
      });
      const server = await harness.serve({ operations: [operation] });
      await server.submit('/op', {}, { headers: { prefer: 'wait=30' } });
    });
  });

  describe('a signal', () => {
    it('is only for who may observe the intent', async () => {
      const operation = fixtureOperation({
        isProtected: true,
        handle: async ({ durable: { waitFor } }) => waitFor('a'),
      });
      const server = await harness.serve({ operations: [operation] });
      const headers = { authorization: 'Bearer tenant-a' };
      const accepted = await server.submit('/op', {}, { headers });
      const url = `${accepted.links.self}/signals/a`;
      expect((await server.send('POST', url)).status).toBe(401);
      const other = { authorization: 'Bearer tenant-b' };
      expectProblem(await server.send('POST', url, { headers: other }), 'intent_not_found');
      expect((await server.send('POST', url, { headers })).status).toBe(202);
    });

    it('must have a name, and be JSON', async () => {
      const operation = fixtureOperation({
        handle: async ({ durable: { waitFor } }) => waitFor('a'),
      });
      const server = await harness.serve({ operations: [operation] });
      const { links } = await server.submit();
      const url = `${links.self}/signals`;
      expectProblem(await server.send('POST', `${url}/-a`), 'signal_name_invalid');
      expectProblem(await server.send('POST', `${url}/a`, { body: '{"a":' }), 'body_unreadable');
      expectProblem(await server.send('GET', `${url}/a`), 'method_not_allowed');
    });
  });

  describe('the output of a handler', () => {
    it('is shown as it comes, and replayed to who comes late, in the form that is accepted', async () => {
      const gate = Promise.withResolvers<void>();
      const operation = fixtureOperation({
        handle: async ({ durable: { emit } }) => {
          await emit('first ');
          await gate.promise;
          await emit('last');
          return { done: true };
        },
      });
      const server = await harness.serve({ operations: [operation] });
      const accepted = await server.submit();
      const url = `${accepted.links.self}/output`;
      const early = server.send('GET', url);
      const stream = await server.observe(url);
      await expect.poll(async () => (await server.snapshot(accepted)).seq).toBeGreaterThan(4);
      gate.resolve();
      await server.ended(accepted);
      const events = await stream.rest();
      expect(events.map(({ event }) => event)).toEqual([
        'intent.output',
        'intent.output',
        'intent.completed',
      ]);
      const late = await server.send('GET', url, { headers: { accept: 'text/*' } });
      for (const answer of [await early, late]) {
        expect(answer.status).toBe(200);
        expect(answer.headers['content-type']).toMatch(/^text\/plain\b/);
        expect(answer.text).toBe('first last');
      }
      const lines = await server.send('GET', url, { headers: { accept: 'application/x-ndjson' } });
      expect(lines.headers['content-type']).toMatch(/^application\/x-ndjson\b/);
      const told = lines.text.split('\n').filter((line) => line !== '');
      expect(told.map((line) => JSON.parse(line).event_type)).toEqual(events.map((e) => e.event));
      // The answer is the handler's own all the same.
      expect((await server.send('GET', accepted.links.result)).json).toEqual({ done: true });
    });

    it('of an attempt that failed is void', async () => {
      const operation = fixtureOperation({
        handle: async ({ durable: { emit, attempt } }) => {
          await emit(`attempt ${attempt}`);
          if (attempt === 1) throw new Error('Not now.');
        },
      });
      const server = await harness.serve({ operations: [operation] });
      const accepted = await server.submit();
      await server.ended(accepted);
      const url = `${accepted.links.self}/output`;
      expect((await server.send('GET', url)).text).toBe('attempt 2');
      const list = await server.send('GET', url, { headers: { accept: 'application/x-ndjson' } });
      expect(list.text).toContain('"reset":true');
    });

    it('is only for who may observe the intent', async () => {
      const operation = fixtureOperation({
        isProtected: true,
        handle: async ({ durable: { emit } }) => emit('secret'),
      });
      const server = await harness.serve({ operations: [operation] });
      const headers = { authorization: 'Bearer tenant-a' };
      const accepted = await server.submit('/op', {}, { headers });
      await server.ended(accepted, { headers });
      const url = `${accepted.links.self}/output`;
      expect((await server.send('GET', url)).status).toBe(401);
      const other = { authorization: 'Bearer tenant-b' };
      expectProblem(await server.send('GET', url, { headers: other }), 'intent_not_found');
      expect((await server.send('GET', url, { headers })).text).toBe('secret');
    });
  });

  describe('the context of a handler', () => {
    it('has the trace of the submit, and a key for calls to third parties', async () => {
      const operation = fixtureOperation({
        handle: async ({ durable: { traceparent, idempotencyKey, intentId, log } }) => {
          log.info({}, 'Seen.');
          return { traceparent, isOwnKey: idempotencyKey === intentId };
        },
      });
      const server = await harness.serve({ operations: [operation] });
      const traceparent = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';
      const accepted = await server.submit('/op', {}, { headers: { traceparent } });
      await server.ended(accepted);
      const result = await server.send('GET', accepted.links.result);
      expect(result.json).toEqual({ traceparent, isOwnKey: true });
    });
  });
}
