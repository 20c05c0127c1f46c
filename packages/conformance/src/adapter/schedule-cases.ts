import { describe, expect, it } from 'vitest';
import { fixtureOperation } from './fixture-operation.ts';
import type { Harness } from './harness.ts';
import type { TestServer } from './test-server.ts';

/** The ended intents of the operation, with the instant that each was scheduled for. */
async function endedOf({ probe: { store } }: TestServer): Promise<Map<string, string>> {
  const statuses = ['COMPLETED'] as const;
  const records = await store.list({ operation: 'op', statuses, limit: 100 });
  const of = records.map(({ id }) => ({ id, after: 0 }));
  const logs = await store.events({ of, limit: 1 });
  return new Map(
    records.map(({ id }, i) => {
      const created: unknown = JSON.parse(logs[i]?.[0]?.json ?? '{}').details?.scheduled_for;
      return [id, String(created)];
    }),
  );
}

/** `schedule`. */
export function scheduleCases(harness: Harness): void {
  describe('an operation with a schedule', () => {
    it('is started once at each tick, over two servers, with what the schedule has for it', async () => {
      const seen = new Map<string, Date | undefined>();
      const given = { input: { full: true }, params: { tenant: '7' }, query: { page: '2' } };
      const operation = fixtureOperation({
        name: 'op',
        path: '/tenants/:tenant/op',
        options: { schedule: { cron: '* * * * * *', owner: 'anyone', ...given } },
        handle: async ({ body, params, query, durable }) => {
          seen.set(durable.intentId, durable.scheduledFor);
          return { body, params, query };
        },
      });
      const first = await harness.serve({ operations: [operation] });
      const { data } = first;
      await harness.serve({ operations: [operation], data });
      await expect.poll(async () => (await endedOf(first)).size).toBeGreaterThan(0);
      const ended = await endedOf(first);
      expect(new Set(ended.values()).size).toBe(ended.size);
      for (const [id, scheduledFor] of ended) {
        expect(scheduledFor).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.000Z$/);
        expect(seen.get(id)?.toISOString()).toBe(scheduledFor);
        const result = `${first.prefix}/tenants/7/op/${id}/result`;
        const answer = await first.send('GET', result);
        expect(answer.json).toEqual({
          body: given.input,
          params: given.params,
          query: given.query,
        });
      }
    });
  });
}
