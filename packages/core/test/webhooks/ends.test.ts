import { describe, expect, it } from 'vitest';
import { NonRetryableError } from '../../src/errors.ts';
import { aroundStore } from '../support/around-store.ts';
import { memoryData, memoryStore } from '../../src/store/memory-store.ts';
import { WEBHOOK_OPERATION } from '../../src/webhooks/delivery-input.ts';
import {
  aborted,
  openBed,
  PATH,
  respond,
  type Bed,
  type BedOptions,
  type Handler,
} from '../support/bed.ts';
import { familyOf, recordOf } from '../support/family.ts';
import { gatedHandler } from '../support/gate.ts';
import { detailsOf } from '../support/handled.ts';
import { mortalStore } from '../support/mortal-store.ts';
import { VirtualClock } from '../support/virtual-clock.ts';
import { deliveriesIn, receiver, URL_OF_HOOK, type Receiver } from '../support/webhook-bed.ts';

const HOUR_MS = 3_600_000;

/** A bed that tells a receiver of all its ends. */
function bedWith(handler: Handler, { operation, ...options }: BedOptions = {}) {
  const to = receiver();
  const bed = openBed(handler, {
    ...options,
    webhooks: to.webhooks,
    operation: { webhook: URL_OF_HOOK, ...operation },
  });
  return { bed, to };
}

/** Lets time pass until `count` webhooks have come. */
async function told({ clock }: Bed, to: Receiver, count = 1, withinMs = HOUR_MS): Promise<void> {
  await clock.until(() => to.posts.length >= count, withinMs);
}

const quick: Handler = async () => respond({ pages: 7 });
const broken: Handler = () => Promise.reject(new NonRetryableError('No such quarter.'));
const stuck: Handler = (_, { signal }) => aborted(signal);

describe('a webhook', () => {
  it('tells of an intent that COMPLETED, with its result', async () => {
    const { bed, to } = bedWith(quick);
    const id = await bed.submit();
    await told(bed, to);
    const { created_at, updated_at, deadline_at, ...data } = to.bodies()[0]?.data ?? {};
    expect(data).toEqual({
      ok: true,
      intent_id: id,
      operation: 'reports.generate',
      status: 'COMPLETED',
      seq: 5,
      attempt: 1,
      status_code: 200,
      content_type: 'application/json',
      result: { pages: 7 },
      links: {
        self: `${PATH}/${id}`,
        events: `${PATH}/${id}/events`,
        result: `${PATH}/${id}/result`,
        cancel: `${PATH}/${id}/cancel`,
      },
    });
    expect(to.bodies()[0]).toMatchObject({ type: 'intent.completed', timestamp: updated_at });
    expect(to.posts[0]).toMatchObject({ url: URL_OF_HOOK, headers: { 'webhook-id': `msg_${id}` } });
    expect([created_at, deadline_at].every((at) => typeof at === 'string')).toBe(true);
  });

  it('leaves a large result where it is', async () => {
    const { bed, to } = bedWith(async () => respond('x'.repeat(20_000)));
    await bed.submit();
    await told(bed, to);
    expect(to.bodies()[0]?.data).toMatchObject({ status_code: 200 });
    expect(to.bodies()[0]?.data).not.toHaveProperty('result');
  });

  it('is an intent of the same owner, which the end of the other names', async () => {
    const { bed, to } = bedWith(quick, { identify: () => 'ann' });
    const id = await bed.submit();
    await told(bed, to);
    const [delivery, ...others] = deliveriesIn(bed.data);
    expect(others).toEqual([]);
    expect(delivery).toMatchObject({ owner: 'ann', parentIntentId: id });
    expect(detailsOf(bed, id, 'completed')).toMatchObject([{ webhook_intent_id: delivery?.id }]);
    await bed.clock.until(() => recordOf(bed, delivery?.id ?? '').dueAt === null);
    const listed = await bed.api.intents.list({ operation: WEBHOOK_OPERATION, owner: 'ann' });
    expect(listed.map(({ id: one, status }) => [one, status])).toEqual([
      [delivery?.id, 'COMPLETED'],
    ]);
    expect(detailsOf(bed, delivery?.id ?? '', 'completed')).toMatchObject([
      { result: { intent_id: id, url: URL_OF_HOOK, status_code: 204 } },
    ]);
    // It is no child: nobody's handler waits for it.
    expect(bed.eventTypes(id)).not.toContain('child_ended');
  });

  it('is none where nobody wants it, and costs no write then', async () => {
    const { bed, to } = bedWith(quick, { operation: { webhook: () => undefined } });
    const id = await bed.submit();
    await bed.clock.advance(HOUR_MS);
    expect(to.posts).toEqual([]);
    expect(bed.data.entries.size).toBe(1);
    expect(detailsOf(bed, id, 'completed')).not.toMatchObject([
      { webhook_intent_id: expect.anything() },
    ]);
  });

  const cancelLater = async (bed: Bed, id: string): Promise<void> => {
    await bed.clock.advance(10);
    await bed.handle('DELETE', `/${id}`);
  };
  type Act = (bed: Bed, id: string) => Promise<void>;
  const stay: Act = async () => {};
  const ends: readonly (readonly [string, Handler, BedOptions, string, Act])[] = [
    ['FAILED for good', broken, {}, 'intent.failed', stay],
    [
      'FAILED after its retries',
      async () => respond({}, 500),
      { operation: { retries: 1 } },
      'intent.failed',
      stay,
    ],
    [
      'TIMED_OUT while it ran',
      stuck,
      { operation: { deadlineMs: 5_000 } },
      'intent.timed_out',
      stay,
    ],
    [
      'TIMED_OUT while it waited',
      async (_, { waitFor }) => respond(await waitFor('never')),
      { operation: { deadlineMs: 50_000 } },
      'intent.timed_out',
      stay,
    ],
    ['was CANCELED while it ran', stuck, {}, 'intent.canceled', cancelLater],
    [
      'was CANCELED though its handler did not stop',
      () => new Promise(() => {}),
      {},
      'intent.canceled',
      cancelLater,
    ],
    [
      'was CANCELED while it waited',
      async (_, { waitFor }) => respond(await waitFor('never')),
      {},
      'intent.canceled',
      async (bed, id) => {
        await bed.clock.advance(5_000);
        await bed.handle('DELETE', `/${id}`);
      },
    ],
    [
      'was CANCELED before it began',
      quick,
      { operation: { startAfterMs: HOUR_MS } },
      'intent.canceled',
      cancelLater,
    ],
  ];
  it.each(ends)('tells of an intent that %s, once', async (_, handler, options, type, act) => {
    const { bed, to } = bedWith(handler, options);
    const id = await bed.submit();
    await act(bed, id);
    await told(bed, to);
    expect(to.bodies()[0]).toMatchObject({ type, data: { intent_id: id } });
    const [delivery] = deliveriesIn(bed.data);
    expect(detailsOf(bed, id, type.replace('intent.', ''))).toMatchObject([
      { webhook_intent_id: delivery?.id },
    ]);
    await bed.clock.advance(HOUR_MS);
    expect(to.posts).toHaveLength(1);
    expect(deliveriesIn(bed.data)).toHaveLength(1);
  });

  it('tells of an intent that took down too many processes', async () => {
    const [data, clock] = [memoryData(), new VirtualClock()];
    const to = receiver();
    const common = { data, clock, webhooks: to.webhooks };
    const operation = { webhook: URL_OF_HOOK, maxLostLeases: 0 };
    const dying = mortalStore(memoryStore(data), () => null);
    const first = openBed(() => new Promise(() => {}), { ...common, operation, store: dying });
    const id = await first.submit();
    dying.die();
    const second = openBed(quick, { ...common, operation });
    await told(second, to);
    expect(to.bodies()[0]).toMatchObject({
      type: 'intent.failed',
      data: { error: { code: 'crashed' } },
    });
    expect(recordOf(second, id).status).toBe('FAILED');
  });

  it('tells of a child that was canceled because its parent was', async () => {
    const to = receiver();
    const bed = familyOf(
      async ({ start }) => (await start('child', {})).result(),
      { child: { run: (_, { waitFor }) => waitFor('never'), options: { webhook: URL_OF_HOOK } } },
      { webhooks: to.webhooks },
    );
    const id = await bed.submit();
    await bed.clock.advance(10_000);
    await bed.handle('DELETE', `/${id}`);
    await told(bed, to);
    expect(to.bodies()).toMatchObject([
      { type: 'intent.canceled', data: { operation: 'child', parent_intent_id: id } },
    ]);
  });

  it('goes where the last of debounced submits says', async () => {
    const to = receiver();
    const bed = openBed(quick, {
      webhooks: { ...to.webhooks, allow: ['*.example.com'] },
      operation: {
        dedupe: () => 'one',
        debounceMs: 1_000,
        webhook: (request: string) => (request === '' ? null : `https://${request}.example.com/`),
      },
    });
    await bed.submit({ source: '' });
    await bed.submit({ source: 'last' });
    await told(bed, to);
    expect(to.posts.map(({ url }) => url)).toEqual(['https://last.example.com/']);
  });

  it('goes there also when the intent is canceled at that moment', async () => {
    const [data, clock] = [memoryData(), new VirtualClock()];
    const to = receiver();
    const operation: BedOptions['operation'] = {
      dedupe: () => 'one',
      debounceMs: 60_000,
      webhook: (request: string) => (request === '' ? null : request),
    };
    const common = { data, clock, webhooks: to.webhooks, operation };
    const other = openBed(quick, common);
    let isFirst = true;
    const store = aroundStore(memoryStore(data), async (method, call) => {
      if (method === 'commit' && isFirst) {
        isFirst = false;
        await other.submit({ source: URL_OF_HOOK });
      }
      return call();
    });
    const bed = openBed(quick, { ...common, store });
    const id = await bed.submit({ source: '' });
    await bed.handle('DELETE', `/${id}`);
    await told(bed, to);
    expect(to.bodies()).toMatchObject([{ type: 'intent.canceled', data: { intent_id: id } }]);
  });

  it('is wanted of all operations by the defaults, which are not those of deliveries', async () => {
    const to = receiver();
    const defaults = { webhook: URL_OF_HOOK, deadlineMs: 1_000, startAfterMs: 500, key: () => 'a' };
    const tickets = { secret: 'a secret that all processes share' };
    const bed = openBed(quick, { webhooks: to.webhooks, defaults, tickets });
    await bed.submit();
    await told(bed, to);
    const [delivery, ...others] = deliveriesIn(bed.data);
    expect(delivery).toMatchObject({ deadlineAt: null, attempt: 1 });
    await bed.clock.advance(HOUR_MS);
    expect(others).toEqual([]);
    expect(deliveriesIn(bed.data)).toHaveLength(1);
  });

  it('tells of what a schedule has started', async () => {
    const { bed, to } = bedWith(quick, { operation: { schedule: '* * * * *' } });
    await told(bed, to);
    expect(to.bodies()[0]).toMatchObject({ type: 'intent.completed' });
    expect(to.posts[0]?.url).toBe(URL_OF_HOOK);
    await bed.clock.resolve(bed.api.stop());
  });

  it('is asked for by code too, and by the retry of what asked for one', async () => {
    const to = receiver();
    const bed = openBed(broken, { webhooks: to.webhooks });
    const submitted = bed.api.intents.submit('reports.generate', {}, { webhookUrl: URL_OF_HOOK });
    const { record } = await bed.clock.resolve(submitted);
    await told(bed, to);
    expect(to.bodies()[0]?.data).not.toHaveProperty('links');
    const again = await bed.clock.resolve(bed.api.intents.retry(record.id));
    await told(bed, to, 2);
    expect(to.bodies()[1]?.data).toMatchObject({
      intent_id: again.record.id,
      retried_from: record.id,
    });
  });
});

describe('a URL that is not allowed', () => {
  const bedFor = (): { bed: Bed; to: Receiver } => {
    const to = receiver();
    const bed = openBed(quick, {
      webhooks: to.webhooks,
      operation: { webhook: (request: string) => request },
    });
    return { bed, to };
  };

  it('is a 400, and nothing is stored', async () => {
    const { bed } = bedFor();
    const reply = await bed.handle('POST', '/', { source: 'https://evil.example.net/' });
    expect(reply.status).toBe(400);
    expect(bed.data.entries.size).toBe(0);
  });

  it('is refused to code as well', async () => {
    const { bed } = bedFor();
    const submitted = bed.api.intents.submit(
      'reports.generate',
      {},
      { webhookUrl: 'http://hooks.example.com/' },
    );
    await expect(bed.clock.resolve(submitted)).rejects.toMatchObject({ code: 'webhook_invalid' });
    expect(bed.data.entries.size).toBe(0);
  });

  it('is refused again at the delivery, when it is allowed no longer', async () => {
    const { bed, to } = bedFor();
    const { calls, handler } = gatedHandler();
    const [data, clock] = [memoryData(), new VirtualClock()];
    const first = openBed(handler, { data, clock, ...to.options });
    await first.submit();
    await clock.until(() => calls.length === 1);
    const stopped = first.api.stop({ graceMs: 0 });
    await clock.resolve(stopped);
    const other = { ...to.webhooks, allow: ['other.example.com'] };
    const second = openBed(quick, { data, clock, webhooks: other });
    await clock.until(() => deliveriesIn(data).some(({ status }) => status === 'FAILED'));
    expect(deliveriesIn(data)[0]?.error).toMatchObject({
      code: 'webhook_refused',
      retryable: false,
    });
    expect(to.posts).toEqual([]);
    await clock.resolve(second.api.stop());
    expect(bed.data.entries.size).toBe(0);
  });
});
