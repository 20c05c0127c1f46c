import { expect, it } from 'vitest';
import { jsonOf, openBed } from '../support/bed.ts';
import { gatedHandler } from '../support/gate.ts';

it('answers who waits for a result or a change at once when the durable API stops', async () => {
  const { calls, handler } = gatedHandler();
  const bed = openBed(handler);
  const id = await bed.submit();
  const headers = { prefer: 'wait=30' };
  const startedAt = bed.clock.now();
  const waits = [bed.handle('POST', '/', { headers }), bed.handle('GET', `/${id}`, { headers })];
  const settled = Promise.all(waits);
  await bed.clock.advance(100);
  expect(calls).toHaveLength(2);
  const stop = bed.api.stop({ graceMs: 0 });
  const [submit, snapshot] = await bed.clock.resolve(settled);
  await bed.clock.resolve(stop);
  expect(bed.clock.now() - startedAt).toBe(100);
  expect(submit?.status).toBe(202);
  expect(snapshot && jsonOf(snapshot)).toMatchObject({ status: 'IN_PROGRESS' });
});
