import { describe, expect, it } from 'vitest';
import { openBed, respond } from '../support/bed.ts';
import { bedOf, resultOf } from '../support/handled.ts';

describe('the context', () => {
  it('has what calls to third parties need, the same in each attempt', async () => {
    const keys: string[] = [];
    const bed = bedOf(
      async ({ idempotencyKey, intentId, attempt }) => {
        keys.push(idempotencyKey);
        if (attempt < 3) throw new Error('Not yet.');
        return idempotencyKey === intentId;
      },
      { operation: { backoff: { baseMs: 0 } } },
    );
    const id = await bed.submit();
    await bed.clock.advance(1_000);
    expect(new Set(keys).size).toBe(1);
    expect(keys).toHaveLength(3);
    expect(await resultOf(bed, id)).toBe(true);
  });

  it.each([
    ['00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01', true],
    ['00-00000000000000000000000000000000-b7ad6b7169203331-01', false],
    ['ff-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01', false],
    ['nonsense', false],
    [undefined, false],
  ])('has the traceparent %s only when it is one', async (traceparent, isOne) => {
    const seen: unknown[] = [];
    const bed = openBed(async (_, context) => {
      seen.push(context.traceparent);
      return respond();
    });
    const rest = { headers: { traceparent } };
    await bed.clock.resolve(bed.api.intents.submit('reports.generate', { rest }));
    await bed.clock.advance(10);
    expect(seen).toEqual([isOne ? traceparent : undefined]);
  });

  it('logs with the intent, the operation and the attempt', async () => {
    const lines: unknown[] = [];
    const log = (context: object, message: string): void =>
      void lines.push({ ...context, message });
    const logger = { debug: log, info: log, warn: log, error: log };
    const bed = bedOf(async ({ log: own }) => own.info({ page: 7 }, 'Rendered'), { logger });
    const id = await bed.submit();
    await bed.clock.advance(10);
    const bound = { intentId: id, operation: 'reports.generate', attempt: 1 };
    expect(lines).toContainEqual({ ...bound, page: 7, message: 'Rendered' });
  });
});
