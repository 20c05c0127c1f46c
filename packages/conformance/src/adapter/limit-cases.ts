import type { OperationOptions } from '@durable-api/core';
import { describe, expect, it } from 'vitest';
import type { FixtureRequest } from './adapter.ts';
import { expectProblem } from './expectations.ts';
import { echo, fixtureOperation } from './fixture-operation.ts';
import type { Harness } from './harness.ts';

/** The tenant that a request names in a header, if it does. */
const key: OperationOptions<FixtureRequest>['key'] = ({ headers }) =>
  String(headers['x-tenant'] ?? '');
const of = (tenant: string) => ({ headers: { 'x-tenant': tenant } });

/** `key`, `concurrency`, `rateLimit` and `priority`. */
export function limitCases(harness: Harness): void {
  describe('an operation with a key', () => {
    it('runs one at a time for each key, in the order of the submits, and other keys beside', async () => {
      const order: string[] = [];
      const gates = new Map(
        ['a1', 'a2', 'b1'].map((name) => [name, Promise.withResolvers<void>()]),
      );
      const operation = fixtureOperation({
        options: { key, concurrency: { perKey: 1 } },
        handle: async ({ body }) => {
          const name = String(Object(body).name);
          order.push(name);
          await gates.get(name)?.promise;
          return { name };
        },
      });
      const server = await harness.serve({ operations: [operation] });
      const submit = (name: string, tenant: string) => server.submit('/op', { name }, of(tenant));
      const a1 = await submit('a1', 'tenant-a');
      await expect.poll(() => order).toEqual(['a1']);
      const a2 = await submit('a2', 'tenant-a');
      const b1 = await submit('b1', 'tenant-b');
      await expect.poll(() => order).toEqual(['a1', 'b1']);
      expect(await server.snapshot(a2)).toMatchObject({ status: 'SUBMITTED' });
      gates.get('b1')?.resolve();
      expect(await server.ended(b1)).toMatchObject({ status: 'COMPLETED' });
      expect(order).toEqual(['a1', 'b1']);
      gates.get('a1')?.resolve();
      expect(await server.ended(a1)).toMatchObject({ status: 'COMPLETED' });
      await expect.poll(() => order).toEqual(['a1', 'b1', 'a2']);
      gates.get('a2')?.resolve();
      expect(await server.ended(a2)).toMatchObject({ status: 'COMPLETED' });
    });

    it('answers a request that gives none with a problem, and stores nothing', async () => {
      const server = await harness.serve({ operations: [echo({ options: { key } })] });
      const url = `${server.prefix}/op`;
      expectProblem(await server.send('POST', url, { json: {} }), 'operation_key_invalid');
      const long = of('x'.repeat(201));
      expectProblem(await server.send('POST', url, { json: {}, ...long }), 'operation_key_invalid');
      const accepted = await server.submit('/op', {}, of('tenant-a'));
      expect(await server.ended(accepted)).toMatchObject({ status: 'COMPLETED' });
    });

    it('starts no more of a key in a period than its rate limit says', async () => {
      const options = { key, rateLimit: { limit: 1, periodMs: 3_600_000 } };
      const server = await harness.serve({ operations: [echo({ options })] });
      const first = await server.submit('/op', {}, of('tenant-a'));
      const second = await server.submit('/op', {}, of('tenant-a'));
      const other = await server.submit('/op', {}, of('tenant-b'));
      for (const each of [first, other])
        expect(await server.ended(each)).toMatchObject({ status: 'COMPLETED' });
      expect(await server.snapshot(second)).toMatchObject({ status: 'SUBMITTED', attempt: 0 });
    });
  });
}
