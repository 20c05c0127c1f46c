import { describe, expect, it, onTestFinished } from 'vitest';
import { DurableApi } from '../../src/durable-api.ts';
import { DRIVEN_NOTE, endsOf } from '../../src/handler/child-notes.ts';
import { createIntent } from '../../src/state/submit.ts';
import { memoryData, memoryStore } from '../../src/store/memory-store.ts';
import type { Note } from '../../src/store/store.ts';
import { respond } from '../support/bed.ts';
import { VirtualClock } from '../support/virtual-clock.ts';

const KIND = 'other.kind';
const HOUR_MS = 3_600_000;

describe('a driven intent with a child', () => {
  const open = async (notes: readonly Note[]) => {
    const [data, clock] = [memoryData(), new VirtualClock()];
    const driver = new DurableApi({ store: memoryStore(data), clock });
    // Another process, which knows nothing of that kind.
    const worker = new DurableApi({ store: memoryStore(data), clock });
    onTestFinished(async () => {
      await Promise.all([driver, worker].map((api) => clock.resolve(api.stop({ graceMs: 0 }))));
    });
    const gate = Promise.withResolvers<void>();
    worker.declare({ name: 'own', run: () => gate.promise.then(() => respond({ n: 1 })) });
    const looks: number[] = [];
    const { ledger } = driver;
    ledger.drive(KIND, async ({ record }) => {
      looks.push(clock.now());
      await ledger.snooze(record, HOUR_MS);
    });
    const id = ledger.newId();
    const made = createIntent(
      { id, operation: KIND, owner: '', deadlineAt: null, idempotency: null },
      ledger.now(),
      null,
    );
    const events = made.events.map(({ seq, type }) => ({ seq, type, json: '{}' }));
    await clock.resolve(ledger.submit({ record: made.record, events, input: '{"rest":{}}' }));
    const record = { ...made.record, seq: 3, dueAt: clock.now() };
    const event = { seq: 3, type: 'intent.delivered', json: '{}' };
    const expected = { seq: 2, lease: null };
    await clock.resolve(ledger.commit({ expected, record, events: [event], notes }));
    await clock.until(() => looks.length > 0, 10_000);
    const child = { id: ledger.newId(), operation: 'own', owner: 'ann', parentIntentId: id };
    const deadlineAt = clock.now() + 2 * HOUR_MS;
    await clock.resolve(worker.ledger.startChild({ ...child, body: {}, deadlineAt }));
    const recordOf = (one: string) => data.entries.get(one)?.record;
    expect(recordOf(child.id)).toMatchObject({ parentIntentId: id, owner: 'ann', deadlineAt });
    const before = looks.length;
    gate.resolve();
    await clock.until(() => recordOf(child.id)?.status === 'COMPLETED', 10_000);
    await clock.advance(100);
    return { looks: looks.length - before, driver, clock, id, child };
  };

  it('is looked at as soon as that has ended, though it was put off, and in another process', async () => {
    const { looks, driver, clock, id, child } = await open([DRIVEN_NOTE]);
    expect(looks).toBe(1);
    const read = driver.ledger.get({ ids: [id], include: 'notes' });
    const [found] = await clock.resolve(read);
    expect([...endsOf(found?.notes ?? []).keys()]).toEqual([child.id]);
  });

  it('is left alone where it does not say that it is driven', async () => {
    expect((await open([])).looks).toBe(0);
  });

  it('has its child once, whose operation must be there', async () => {
    const [data, clock] = [memoryData(), new VirtualClock()];
    const api = new DurableApi({ store: memoryStore(data), clock, worker: false });
    onTestFinished(() => clock.resolve(api.stop({ graceMs: 0 })));
    api.declare({ name: 'own', run: async () => respond() });
    const { ledger } = api;
    const parts = { owner: '', parentIntentId: ledger.newId(), body: {}, deadlineAt: null };
    const child = { ...parts, id: ledger.newIdOf('own'), operation: 'own' };
    await clock.resolve(ledger.startChild(child));
    await clock.resolve(ledger.startChild(child));
    expect([...data.entries.keys()]).toEqual([child.id]);
    await expect(ledger.startChild({ ...child, operation: 'nobody' })).rejects.toMatchObject({
      code: 'start_invalid',
    });
  });
});
