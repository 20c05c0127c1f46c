import { NonRetryableError, RetryAfterError } from '@durable-api/core';
import { describe, expect, it } from 'vitest';
import { abortReason, expectProblem } from './expectations.ts';
import { fixtureOperation, type FixtureOperation } from './fixture-operation.ts';
import type { Harness } from './harness.ts';

interface Failing {
  readonly operation: FixtureOperation;
  readonly attempts: readonly number[];
}

/** Rejects with `thrown` in its first `times` attempts. */
function failing(times: number, thrown: unknown, given: Partial<FixtureOperation> = {}): Failing {
  const attempts: number[] = [];
  const operation = fixtureOperation({
    ...given,
    handle: async ({ durable }) => {
      attempts.push(durable.attempt);
      if (attempts.length <= times) throw thrown;
      return { attempts: attempts.length };
    },
  });
  return { operation, attempts };
}

/** What `createError(status, message)` of the package `http-errors` makes. */
function httpError(status: number, message: string): Error {
  return Object.assign(new Error(message), { status, statusCode: status, expose: status < 500 });
}

/** What a handler's behaviour means. */
export function handlerCases(harness: Harness): void {
  describe('a handler', () => {
    it('that returns a value has answered with it as JSON', async () => {
      const operation = fixtureOperation({
        answerBy: 'return',
        handle: async ({ body }) => ({ returned: body }),
      });
      const server = await harness.serve({ operations: [operation] });
      const accepted = await server.submit('/op', { a: 1 });
      await server.ended(accepted);
      const result = await server.send('GET', accepted.links.result);
      expect(result.status).toBe(200);
      expect(result.headers['content-type']).toMatch(/^application\/json\b/);
      expect(result.json).toEqual({ returned: { a: 1 } });
    });

    it('that answers 4xx has completed with that answer, once', async () => {
      const { operation, attempts } = failing(0, null, { status: 422 });
      const server = await harness.serve({ operations: [operation] });
      const accepted = await server.submit();
      expect(await server.ended(accepted)).toMatchObject({ status: 'COMPLETED', attempt: 1 });
      const result = await server.send('GET', accepted.links.result);
      expect(result.status).toBe(422);
      expect(result.json).toEqual({ attempts: 1 });
      expect(attempts).toEqual([1]);
    });

    it('that answers 5xx has failed, is tried again, and fails in the end', async () => {
      const { operation, attempts } = failing(0, null, { status: 503, options: { retries: 2 } });
      const server = await harness.serve({ operations: [operation] });
      const ended = await server.ended(await server.submit());
      expect(ended).toMatchObject({ status: 'FAILED', error: { code: 'handler_5xx' } });
      expect(attempts).toEqual([1, 2, 3]);
    });

    it('that throws is tried again until it succeeds', async () => {
      const { operation, attempts } = failing(2, new Error('Not now.'));
      const server = await harness.serve({ operations: [operation] });
      const accepted = await server.submit();
      const stream = await server.observe(accepted.links.events);
      const events = await stream.rest();
      const failedAttempt = ['delivered', 'in_progress', 'delivery_failed', 'waiting'];
      expect(events.map(({ event }) => event?.slice('intent.'.length))).toEqual([
        'created',
        'submitted',
        ...failedAttempt,
        ...failedAttempt,
        'delivered',
        'in_progress',
        'completed',
      ]);
      expect(events[5]?.data).toMatchObject({
        status: 'WAITING',
        waiting_reason: 'WAITING_FOR_TIME',
      });
      expect(events.at(-1)?.data.attempt).toBe(3);
      expect(attempts).toEqual([1, 2, 3]);
      const result = await server.send('GET', accepted.links.result);
      expect(result.json).toEqual({ attempts: 3 });
    });

    it('that throws an error of http-errors below 500 has answered with it, once', async () => {
      const { operation, attempts } = failing(9, httpError(409, 'The quarter is closed.'));
      const server = await harness.serve({ operations: [operation] });
      const accepted = await server.submit();
      expect(await server.ended(accepted)).toMatchObject({ status: 'COMPLETED', attempt: 1 });
      const result = await server.send('GET', accepted.links.result);
      expect(result.status).toBe(409);
      expect(JSON.stringify(result.json)).toContain('The quarter is closed.');
      expect(attempts).toEqual([1]);
    });

    it('that throws an error of http-errors from 500 on has failed', async () => {
      const { operation, attempts } = failing(1, httpError(503, 'Too busy.'));
      const server = await harness.serve({ operations: [operation] });
      expect((await server.ended(await server.submit())).status).toBe('COMPLETED');
      expect(attempts).toEqual([1, 2]);
    });

    it('that throws NonRetryableError has failed for good', async () => {
      const { operation, attempts } = failing(9, new NonRetryableError('No such customer.'));
      const server = await harness.serve({ operations: [operation] });
      const ended = await server.ended(await server.submit());
      expect(ended).toMatchObject({
        status: 'FAILED',
        error: { code: 'non_retryable', message: 'No such customer.', retryable: false },
      });
      expect(attempts).toEqual([1]);
    });

    it('that throws RetryAfterError is tried again when it says', async () => {
      const { operation } = failing(1, new RetryAfterError('Busy.', 600_000));
      const server = await harness.serve({ operations: [operation] });
      const accepted = await server.submit();
      const stream = await server.observe(accepted.links.events);
      const waiting = (await stream.upTo('intent.waiting')).at(-1);
      const { resume_at: resumeAt } = await server.snapshot(accepted);
      const pauseMs = Date.parse(resumeAt ?? '') - Date.parse(waiting?.data.at ?? '');
      // It counts from the throw, which is a moment before the event.
      expect(pauseMs).toBeLessThanOrEqual(600_000);
      expect(pauseMs).toBeGreaterThan(599_000);
      await server.send('DELETE', accepted.links.self);
    });

    for (const thrown of ['a string', undefined, null, { odd: true }]) {
      it(`that throws ${JSON.stringify(thrown) ?? 'undefined'} has failed like any other`, async () => {
        const { operation, attempts } = failing(1, thrown);
        const server = await harness.serve({ operations: [operation] });
        const ended = await server.ended(await server.submit());
        expect(ended.status).toBe('COMPLETED');
        expect(attempts).toEqual([1, 2]);
      });
    }

    it('keeps the message of its error to itself unless that is exposed', async () => {
      const { operation } = failing(9, new Error('password is hunter2'), {
        options: { retries: 0 },
      });
      const server = await harness.serve({
        operations: [operation],
        options: { exposeErrors: false },
      });
      const accepted = await server.submit();
      const ended = await server.ended(accepted);
      expect(ended.error).toMatchObject({ code: 'handler_error' });
      const stream = await server.observe(accepted.links.events);
      await stream.rest();
      const result = await server.send('GET', accepted.links.result);
      expect(JSON.stringify(ended) + stream.text + result.text).not.toContain('hunter2');
    });

    it('that takes longer than its timeout is aborted and has failed', async () => {
      const aborted = Promise.withResolvers<unknown>();
      const operation = fixtureOperation({
        options: { timeoutMs: 50, retries: 0 },
        handle: async ({ durable }) => {
          aborted.resolve(await abortReason(durable.signal));
          throw durable.signal.reason;
        },
      });
      const server = await harness.serve({ operations: [operation] });
      const ended = await server.ended(await server.submit());
      expect(ended).toMatchObject({ status: 'FAILED', error: { code: 'attempt_timeout' } });
      expect(await aborted.promise).toMatchObject({ cause: 'timeout' });
    });

    it('that misses the deadline is aborted, and the intent is TIMED_OUT', async () => {
      const aborted = Promise.withResolvers<unknown>();
      const operation = fixtureOperation({
        options: { deadlineMs: 300 },
        handle: async ({ durable }) => {
          aborted.resolve(await abortReason(durable.signal));
          throw durable.signal.reason;
        },
      });
      const server = await harness.serve({ operations: [operation] });
      const accepted = await server.submit();
      expect((await server.ended(accepted)).status).toBe('TIMED_OUT');
      expect(await aborted.promise).toMatchObject({ cause: 'deadline' });
      expectProblem(await server.send('GET', accepted.links.result), 'intent_timed_out');
    });

    it('whose result is larger than the limit has failed, and says so', async () => {
      const operation = fixtureOperation({ handle: async () => ({ text: 'x'.repeat(2_000) }) });
      const server = await harness.serve({
        operations: [operation],
        options: { limits: { maxResultBytes: 1_000 } },
      });
      const ended = await server.ended(await server.submit());
      expect(ended).toMatchObject({ status: 'FAILED', error: { code: 'result_too_large' } });
      expect(ended.error?.message).toContain('maxResultBytes');
    });

    it('whose result is too large for an event is read at the result link', async () => {
      const text = 'x'.repeat(20_000);
      const operation = fixtureOperation({ handle: async () => ({ text }) });
      const server = await harness.serve({ operations: [operation] });
      const accepted = await server.submit();
      const stream = await server.observe(accepted.links.events);
      const last = (await stream.rest()).at(-1);
      expect(last?.data.details).toMatchObject({ status_code: 200 });
      expect(last?.data.details).not.toHaveProperty('result');
      expect((await server.send('GET', accepted.links.result)).json).toEqual({ text });
    });

    it('knows its intent, operation, owner and attempt', async () => {
      const operation = fixtureOperation({
        name: 'reports.generate',
        isProtected: true,
        handle: async ({ durable: { intentId, operation, owner, attempt } }) => ({
          intentId,
          operation,
          owner,
          attempt,
        }),
      });
      const server = await harness.serve({ operations: [operation] });
      const headers = { authorization: 'Bearer tenant-b' };
      const accepted = await server.submit('/op', {}, { headers });
      await server.ended(accepted, { headers });
      expect((await server.send('GET', accepted.links.result, { headers })).json).toEqual({
        intentId: accepted.id,
        operation: 'reports.generate',
        owner: 'tenant-b',
        attempt: 1,
      });
    });
  });
}
