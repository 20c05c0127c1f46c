import type { OperationOptions } from '@durable-api/core';
import { describe, expect, it } from 'vitest';
import type { FixtureRequest } from './adapter.ts';
import { echo, fixtureOperation } from './fixture-operation.ts';
import type { Harness } from './harness.ts';

/** What a request is about, as a header of it says. */
const dedupe: OperationOptions<FixtureRequest>['dedupe'] = ({ headers }) =>
  String(headers['x-about'] ?? '') || undefined;

const about = (what: string): { headers: Record<string, string> } => ({
  headers: { 'x-about': what },
});

/** `dedupe` and `debounceMs`. */
export function dedupeCases(harness: Harness): void {
  describe('an operation with dedupe', () => {
    it('answers with the intent that is under way, and makes a new one after its end', async () => {
      const gate = Promise.withResolvers<void>();
      const operation = fixtureOperation({
        options: { dedupe },
        handle: async ({ body }) => {
          await gate.promise;
          return body;
        },
      });
      const server = await harness.serve({ operations: [operation] });
      const first = await server.submit('/op', { n: 1 }, about('a'));
      const other = await server.submit('/op', { n: 2 }, about('b'));
      const again = await server.submit('/op', { n: 3 }, about('a'));
      expect(again.answer.text).toBe(first.answer.text);
      expect(again.answer.headers.location).toBe(first.answer.headers.location);
      expect(again.answer.headers['intent-deduplicated']).toBe('true');
      for (const { answer } of [first, other])
        expect(answer.headers).not.toHaveProperty('intent-deduplicated');
      expect(other.id).not.toBe(first.id);
      gate.resolve();
      await server.ended(first);
      const fresh = await server.submit('/op', { n: 5 }, about('a'));
      expect(fresh.id).not.toBe(first.id);
    });

    it('answers many requests at once, on two servers, with one intent', async () => {
      const operation = echo({ options: { dedupe } });
      const first = await harness.serve({ operations: [operation], options: { worker: false } });
      const { data } = first;
      const options = { worker: false };
      const second = await harness.serve({ operations: [operation], options, data });
      const submits = Array.from({ length: 20 }, (_, i) =>
        (i % 2 === 0 ? first : second).submit('/op', { i }, about('a')),
      );
      const accepted = await Promise.all(submits);
      expect(new Set(accepted.map(({ id }) => id)).size).toBe(1);
      const alike = accepted.filter(
        ({ answer }) => answer.headers['intent-deduplicated'] === 'true',
      );
      expect(alike).toHaveLength(19);
    });
  });

  describe('an operation with debounceMs', () => {
    it('has submits that follow each other put off one intent, whose input is the last', async () => {
      const options = { dedupe, debounceMs: 3_600_000 };
      const server = await harness.serve({ operations: [echo({ options })] });
      const first = await server.submit('/op', { n: 1 }, about('a'));
      const { resume_at: before = '' } = await server.snapshot(first);
      const others = [2, 3].map((n) => server.submit('/op', { n }, about('a')));
      await Promise.all(others);
      const last = await server.submit('/op', { n: 4 }, about('a'));
      expect(last.id).toBe(first.id);
      expect(last.answer.headers['intent-deduplicated']).toBe('true');
      const { resume_at: after = '', status } = await server.snapshot(first);
      expect(status).toBe('WAITING');
      expect(Date.parse(after)).toBeGreaterThanOrEqual(Date.parse(before));
      const [found] = await server.probe.store.get({ ids: [first.id], include: 'input' });
      expect(JSON.parse(found?.input ?? '{}')).toMatchObject({ body: { n: 4 } });
      await server.send('DELETE', first.links.self);
      const next = await server.submit('/op', { n: 5 }, about('a'));
      expect(next.id).not.toBe(first.id);
    });

    it('starts by itself when no more come', async () => {
      const options = { dedupe, debounceMs: 20 };
      const server = await harness.serve({ operations: [echo({ options })] });
      const accepted = await server.submit('/op', { n: 1 }, about('a'));
      expect(await server.ended(accepted)).toMatchObject({ status: 'COMPLETED', attempt: 1 });
    });
  });
}
