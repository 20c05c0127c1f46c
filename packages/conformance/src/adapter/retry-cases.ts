import { NonRetryableError } from '@durable-api/core';
import { submittedSchema } from '@durable-api/protocol';
import { describe, expect, it } from 'vitest';
import { expectProblem } from './expectations.ts';
import { echo, fixtureOperation, type FixtureOperation } from './fixture-operation.ts';
import type { Harness } from './harness.ts';
import type { Answer } from './http-client.ts';
import type { Accepted } from './test-server.ts';

/** Fails until it is told to do better, then gives back its body. */
function failing(): { operation: FixtureOperation; mend: () => void } {
  let isMended = false;
  const operation = fixtureOperation({
    handle: async ({ body }) => {
      if (!isMended) throw new NonRetryableError('It is broken.');
      return body;
    },
  });
  return { operation, mend: () => (isMended = true) };
}

function acceptedOf(answer: Answer): Accepted {
  expect(answer.status).toBe(202);
  const { intent_id: id, links } = submittedSchema.parse(answer.json);
  return { id, links, answer };
}

/** `POST P/{id}/retry`. */
export function retryCases(harness: Harness): void {
  describe('a retry', () => {
    it('is a new intent with the same input, linked to the old one, which stays as it is', async () => {
      const { operation, mend } = failing();
      const server = await harness.serve({ operations: [operation] });
      const old = await server.submit('/op', { quarter: 'Q3' });
      const ended = await server.ended(old);
      expect(ended).toMatchObject({ status: 'FAILED' });
      mend();
      const fresh = acceptedOf(await server.send('POST', `${old.links.self}/retry`));
      expect(fresh.id).not.toBe(old.id);
      expect(fresh.answer.headers.location).toBe(fresh.links.self);
      expect(await server.ended(fresh)).toMatchObject({
        status: 'COMPLETED',
        retried_from: old.id,
      });
      expect((await server.send('GET', fresh.links.result)).json).toEqual({ quarter: 'Q3' });
      const created = await (await server.observe(fresh.links.events)).next();
      expect(created?.data.details).toEqual({ retried_from: old.id });
      expect(await server.snapshot(old)).toEqual(ended);
      expect(ended).not.toHaveProperty('retried_from');
    });

    it('can be of what was canceled, and again of a retry', async () => {
      const { operation } = failing();
      const server = await harness.serve({
        operations: [operation],
        options: { worker: false },
      });
      const first = await server.submit();
      expectProblem(await server.send('POST', `${first.links.self}/retry`), 'intent_not_retryable');
      await server.send('DELETE', first.links.self);
      const second = acceptedOf(await server.send('POST', `${first.links.self}/retry`));
      await server.send('DELETE', second.links.self);
      const third = acceptedOf(await server.send('POST', `${second.links.self}/retry`));
      expect(await server.snapshot(third)).toMatchObject({
        status: 'SUBMITTED',
        retried_from: second.id,
      });
    });

    it('is refused of what COMPLETED', async () => {
      const server = await harness.serve({ operations: [echo()] });
      const accepted = await server.submit();
      await server.ended(accepted);
      const answer = await server.send('POST', `${accepted.links.self}/retry`);
      expectProblem(answer, 'intent_not_retryable');
      expect(await server.probe.store.list({ limit: 10 })).toHaveLength(1);
    });

    it('with one Idempotency-Key is one intent', async () => {
      const { operation } = failing();
      const server = await harness.serve({ operations: [operation] });
      const old = await server.submit();
      await server.ended(old);
      const headers = { 'idempotency-key': 'again' };
      const retry = `${old.links.self}/retry`;
      const one = acceptedOf(await server.send('POST', retry, { headers }));
      const two = acceptedOf(await server.send('POST', retry, { headers }));
      expect(two.id).toBe(one.id);
      expect(two.answer.headers['idempotency-replayed']).toBe('true');
      expect(acceptedOf(await server.send('POST', retry)).id).not.toBe(one.id);
    });
  });
}
