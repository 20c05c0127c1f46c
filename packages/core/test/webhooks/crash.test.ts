import { describe, expect, it } from 'vitest';
import { memoryData, memoryStore } from '../../src/store/memory-store.ts';
import { WEBHOOK_OPERATION } from '../../src/webhooks/delivery-input.ts';
import { aborted, openBed, respond, type Bed, type Handler } from '../support/bed.ts';
import { recordOf } from '../support/family.ts';
import { mortalStore, type Fate } from '../support/mortal-store.ts';
import { VirtualClock } from '../support/virtual-clock.ts';
import { deliveriesIn, receiver } from '../support/webhook-bed.ts';

const HOUR_MS = 3_600_000;

/** Two processes on one store, of which the first has a fate. */
function twoProcesses(handler: Handler, fate: Fate) {
  const [data, clock] = [memoryData(), new VirtualClock()];
  const to = receiver();
  const store = mortalStore(memoryStore(data), fate);
  const open = (options: { store?: typeof store } = {}): Bed =>
    openBed(handler, { data, clock, ...to.options, ...options });
  return { first: open({ store }), second: () => open(), data, clock, to };
}

const isDelivery: (request: { record: { operation: string } }) => boolean = ({ record }) =>
  record.operation === WEBHOOK_OPERATION;
const isEnd: (request: { record: { dueAt: number | null } }) => boolean = ({ record }) =>
  record.dueAt === null;

describe('a process that dies', () => {
  const fates: readonly [string, Fate][] = [
    [
      'before it has stored the delivery',
      ({ method, request }) => (method === 'submit' && isDelivery(request) ? 'before' : null),
    ],
    [
      'between the delivery and the end',
      ({ method, request }) => (method === 'submit' && isDelivery(request) ? 'after' : null),
    ],
    [
      'before the end is stored',
      ({ method, request }) =>
        method === 'commit' && isEnd(request) && !isDelivery(request) ? 'before' : null,
    ],
    [
      'when the end is stored, and before it has told',
      ({ method, request }) =>
        method === 'commit' && isEnd(request) && !isDelivery(request) ? 'after' : null,
    ],
    [
      'before it has written that it has told',
      ({ method, request }) =>
        method === 'commit' && isEnd(request) && isDelivery(request) ? 'before' : null,
    ],
  ];
  it.each(fates)('%s, leaves one delivery, and it is made', async (_, fate) => {
    const { first, second, data, clock, to } = twoProcesses(async () => respond(), fate);
    const id = await first.submit();
    await clock.advance(10);
    const bed = second();
    await clock.until(() => deliveriesIn(data)[0]?.dueAt === null && to.posts.length > 0, HOUR_MS);
    expect(recordOf(bed, id).status).toBe('COMPLETED');
    expect(deliveriesIn(data)).toMatchObject([{ status: 'COMPLETED' }]);
    expect(new Set(to.posts.map(({ headers }) => headers['webhook-id'])).size).toBe(1);
    expect(data.entries.size).toBe(2);
  });

  it('between the delivery and the end, leaves a delivery that waits until there is one', async () => {
    const fate: Fate = ({ method, request }) =>
      method === 'submit' && isDelivery(request) ? 'after' : null;
    const waits: Handler = async (_, { attempt, waitFor }) => {
      if (attempt > 1) await waitFor('late');
      return respond();
    };
    const { first, second, data, clock, to } = twoProcesses(waits, fate);
    const id = await first.submit();
    await clock.advance(10);
    const bed = second();
    await clock.advance(10 * HOUR_MS);
    expect(to.posts).toEqual([]);
    const [delivery] = deliveriesIn(data);
    expect(delivery).toMatchObject({ status: 'WAITING', failures: 0 });
    await clock.resolve(bed.api.intents.signal(id, 'late'));
    // It is told at once, and need not look.
    await clock.until(() => to.posts.length === 1, 5_000);
    expect(deliveriesIn(data).map((one) => one.id)).toEqual([delivery?.id]);
  });

  it('of an intent that ends otherwise then, leaves a delivery that tells how', async () => {
    const fate: Fate = ({ method, request }) =>
      method === 'submit' && isDelivery(request) ? 'after' : null;
    const stuck: Handler = (_, { attempt, signal }) =>
      attempt === 1 ? Promise.resolve(respond()) : aborted(signal);
    const { first, second, clock, to } = twoProcesses(stuck, fate);
    const id = await first.submit();
    await clock.advance(10);
    const bed = second();
    await clock.advance(60_000);
    await bed.handle('DELETE', `/${id}`);
    await clock.until(() => to.posts.length === 1, 10_000);
    expect(to.bodies()).toMatchObject([{ type: 'intent.canceled' }]);
  });
});

describe('a store that is away', () => {
  it('when the delivery is to be stored, has the end wait for it', async () => {
    const [data, clock] = [memoryData(), new VirtualClock()];
    const to = receiver();
    const store = memoryStore(data);
    let isAway = true;
    const flaky = {
      ...store,
      submit: (batch: Parameters<typeof store.submit>[0]) =>
        isAway && batch.some(isDelivery)
          ? Promise.reject(new Error('The store is away.'))
          : store.submit(batch),
    };
    const bed = openBed(async () => respond(), { data, clock, store: flaky, ...to.options });
    const id = await bed.submit();
    await clock.advance(5_000);
    expect(recordOf(bed, id).status).toBe('IN_PROGRESS');
    isAway = false;
    await clock.until(() => to.posts.length === 1, 5_000);
    expect(recordOf(bed, id)).toMatchObject({ status: 'COMPLETED', attempt: 1 });
  });
});
