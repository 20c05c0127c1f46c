import { describe, expect, it } from 'vitest';
import type { DurableApi } from '../../src/durable-api.ts';
import { memoryStore } from '../../src/store/memory-store.ts';
import { aroundStore } from '../support/around-store.ts';
import { jsonOf, plainRequest } from '../support/bed.ts';
import { answered, handler, openDeploys, type Deploys } from '../support/deploys.ts';
import { receiver, URL_OF_HOOK } from '../support/webhook-bed.ts';

const MINUTE_MS = 60_000;

/** A process that has submitted to version 1 and is gone. */
async function leftBehind(deploys: Deploys, count = 1): Promise<string[]> {
  const front = deploys.open({ worker: false });
  front.declare(handler(answered('')), { version: 1, deadlineMs: 10 * MINUTE_MS });
  const ids = [];
  for (let i = 0; i < count; i += 1) ids.push(await deploys.submit(front));
  await deploys.clock.resolve(front.stop());
  return ids;
}

function deploy({ open }: Deploys, version: number): DurableApi {
  const api = open();
  api.declare(handler(answered(`by ${version}`)), { version });
  return api;
}

describe('an intent whose version nobody declares', () => {
  it('is shown to wait, and why, and is as due as it was', async () => {
    const deploys = openDeploys();
    const { clock, events, record, statusOf } = deploys;
    const [id = ''] = await leftBehind(deploys);
    const before = record(id);
    const api = deploys.open();
    const operation = api.declare(handler(answered('')), { version: 2 });
    await clock.advance(MINUTE_MS - 2_000);
    expect(statusOf(id)).toBe('SUBMITTED');
    await clock.until(() => statusOf(id) === 'WAITING', 5_000);
    expect(events(id)).toEqual(['created', 'submitted', 'waiting']);
    const { dueAt, lease, holder } = record(id);
    expect({ dueAt, lease, holder }).toEqual({ dueAt: before.dueAt, lease: 0, holder: null });
    const reply = await api.handle(operation, plainRequest('GET', `/${id}`));
    const snapshot = reply && jsonOf(reply);
    expect(snapshot).toMatchObject({
      waiting_reason: 'WAITING_FOR_TOOL',
      error: { code: 'version_not_declared', retryable: true },
    });
    expect(snapshot).not.toHaveProperty('resume_at');
    const told = await api.handle(
      operation,
      plainRequest('GET', `/${id}/events`, { headers: { accept: 'application/json' } }),
    );
    expect(Object(told && jsonOf(told)).events.at(-1)).toMatchObject({
      event_type: 'intent.waiting',
      waiting_reason: 'WAITING_FOR_TOOL',
      details: { parked: true, reason: 'version_not_declared', operation: 'report', version: '1' },
    });
    await clock.advance(3 * MINUTE_MS);
    expect(events(id)).toHaveLength(3);
  });

  it('is told of by its webhook when its deadline ends it', async () => {
    const deploys = openDeploys();
    const { clock, statusOf } = deploys;
    const to = receiver();
    const front = deploys.open({ worker: false, webhooks: to.webhooks });
    const once = { version: 1, deadlineMs: 10 * MINUTE_MS, webhook: URL_OF_HOOK };
    front.declare(handler(answered('')), once);
    const id = await deploys.submit(front);
    await clock.resolve(front.stop());
    deploys.open({ webhooks: to.webhooks }).declare(handler(answered('')), { version: 2 });
    await clock.until(() => statusOf(id) === 'TIMED_OUT', 11 * MINUTE_MS);
    await clock.until(() => to.posts.length > 0, MINUTE_MS);
    expect(to.bodies()).toMatchObject([
      { type: 'intent.timed_out', data: { intent_id: id, status: 'TIMED_OUT' } },
    ]);
  });

  it('is taken at once by a process that declares it, at its start or already running', async () => {
    const deploys = openDeploys();
    const { clock, events, record, statusOf } = deploys;
    const [id = ''] = await leftBehind(deploys);
    deploy(deploys, 2);
    await clock.until(() => statusOf(id) === 'WAITING');
    deploy(deploys, 1);
    await clock.until(() => statusOf(id) === 'COMPLETED', 1_000);
    expect(events(id).slice(2)).toEqual(['waiting', 'delivered', 'in_progress', 'completed']);
    expect(record(id)).toMatchObject({ error: null, lostLeases: 0, attempt: 1 });
  });

  it('ends at its deadline, parked or not', async () => {
    const deploys = openDeploys();
    const { clock, statusOf } = deploys;
    const [id = ''] = await leftBehind(deploys);
    const startedAt = clock.now();
    deploy(deploys, 2);
    await clock.advance(5 * MINUTE_MS);
    expect(statusOf(id)).toBe('WAITING');
    // What comes after it is looked at from behind it.
    const [later = ''] = await leftBehind(deploys);
    await clock.advance(3 * MINUTE_MS);
    expect(statusOf(later)).toBe('WAITING');
    await clock.until(() => statusOf(id) === 'TIMED_OUT', 2 * MINUTE_MS + 5_000);
    expect(clock.now() - startedAt).toBeGreaterThanOrEqual(10 * MINUTE_MS);

    const soon = deploys.open({ worker: false });
    soon.declare(handler(answered('')), { version: 5, deadlineMs: 20_000 });
    const other = await deploys.submit(soon);
    await clock.until(() => statusOf(other) === 'TIMED_OUT', MINUTE_MS + 5_000);
  });

  it('ends at its deadline also when a process comes that has parked nothing', async () => {
    const deploys = openDeploys();
    const { clock, statusOf } = deploys;
    const ids = await leftBehind(deploys, 3);
    const parking = deploy(deploys, 2);
    await clock.until(() => ids.every((id) => statusOf(id) === 'WAITING'));
    await clock.resolve(parking.stop());
    deploy(deploys, 3);
    await clock.until(() => ids.every((id) => statusOf(id) === 'TIMED_OUT'), 10 * MINUTE_MS);
  });

  it('is canceled like any other', async () => {
    const deploys = openDeploys();
    const { clock, statusOf } = deploys;
    const [id = ''] = await leftBehind(deploys);
    const api = deploy(deploys, 2);
    await clock.until(() => statusOf(id) === 'WAITING');
    await clock.resolve(api.intents.cancel(id));
    expect(statusOf(id)).toBe('CANCELED');
  });

  it('says so of an operation that was removed', async () => {
    const deploys = openDeploys();
    const { clock, record, statusOf } = deploys;
    const [id = ''] = await leftBehind(deploys);
    deploys.open().declare(handler(answered(''), 'other'));
    await clock.until(() => statusOf(id) === 'WAITING');
    expect(record(id).error).toMatchObject({
      code: 'operation_not_declared',
      message: expect.stringContaining('"report" of version 1'),
    });
  });

  it('is parked though its process died over it, and then what it put out is void', async () => {
    const deploys = openDeploys();
    const { clock, events, record, statusOf, open, data } = deploys;
    let isDead = false;
    const store = aroundStore(memoryStore(data), (_, call) =>
      isDead ? new Promise(() => {}) : call(),
    );
    const dying = open({ store });
    dying.declare(
      handler(async ({ emit }) => {
        await emit('half');
        await new Promise(() => {});
      }),
      { version: 1 },
    );
    const id = await deploys.submit(dying);
    await clock.until(() => events(id).includes('output'));
    isDead = true;
    deploy(deploys, 2);
    await clock.until(() => statusOf(id) === 'WAITING', 5 * MINUTE_MS);
    expect(events(id).slice(-4)).toEqual(['output', 'output', 'delivery_failed', 'waiting']);
    expect(record(id).holder).toBeNull();
    deploy(deploys, 1);
    await clock.until(() => statusOf(id) === 'COMPLETED', 1_000);
    expect(record(id).attempt).toBe(2);
  });

  it('that sleeps or waits is parked only once it is due, and goes on where it was', async () => {
    const deploys = openDeploys();
    const { clock, record, statusOf, open } = deploys;
    const first = open();
    const run = handler(async ({ sleep, waitFor, attempt }) => {
      await sleep(5 * MINUTE_MS);
      return [
        await waitFor('go', { task: { title: 'Go?' }, remindEveryMs: 4 * MINUTE_MS }),
        attempt,
      ];
    });
    first.declare(run, { version: 1 });
    const id = await deploys.submit(first);
    await clock.until(() => statusOf(id) === 'WAITING');
    await clock.resolve(first.stop());
    const two = deploy(deploys, 2);
    await clock.advance(5 * MINUTE_MS + 30_000);
    expect(record(id)).toMatchObject({ waitingReason: 'WAITING_FOR_TIME', error: null });
    await clock.until(() => record(id).error !== null, 2 * MINUTE_MS);
    const again = open();
    again.declare(run, { version: 1 });
    await clock.until(() => record(id).waitingReason === 'WAITING_FOR_HUMAN', 1_000);
    expect(record(id).error).toBeNull();
    await clock.resolve(again.stop());
    // Due for a reminder, it is still somebody in particular whom it waits for.
    await clock.until(() => record(id).error !== null, 7 * MINUTE_MS);
    expect(record(id).waitingReason).toBe('WAITING_FOR_HUMAN');
    const last = open();
    last.declare(run, { version: 1 });
    await clock.until(() => record(id).error === null, 1_000);
    expect(deploys.events(id).at(-1)).toBe('reminder');
    await clock.resolve(two.intents.signal(id, 'go', 'yes'));
    await clock.until(() => statusOf(id) === 'COMPLETED', 1_000);
  });
});

describe('what another process takes', () => {
  it('is not parked, however old its backlog is, while something of it moves', async () => {
    const deploys = openDeploys();
    const { clock, data, events, open, statusOf } = deploys;
    const ids = await leftBehind(deploys, 9);
    await clock.advance(5 * MINUTE_MS);
    deploy(deploys, 2);
    const busy = open({ concurrency: 1 });
    const work = handler(
      () => new Promise((resolve) => void clock.setTimeout(() => resolve(''), 30_000)),
    );
    busy.declare(work, { version: 1 });
    await clock.until(() => data.live.size === 0, 10 * MINUTE_MS);
    expect(ids.map(statusOf)).toEqual(ids.map(() => 'COMPLETED'));
    expect(ids.filter((id) => events(id).includes('waiting'))).toEqual([]);
  });

  it('is not parked while one handler of it takes its time', async () => {
    const deploys = openDeploys();
    const { clock, events, open, statusOf } = deploys;
    const [, second = ''] = await leftBehind(deploys, 2);
    const busy = open({ concurrency: 1 });
    const work = handler(
      () => new Promise((resolve) => void clock.setTimeout(() => resolve(''), 4 * MINUTE_MS)),
    );
    busy.declare(work, { version: 1 });
    deploy(deploys, 2);
    await clock.until(() => statusOf(second) === 'COMPLETED', 15 * MINUTE_MS);
    expect(events(second)).not.toContain('waiting');
  });

  it('is not parked at the start of a deploy, which has seen nothing move yet', async () => {
    const deploys = openDeploys();
    const { clock, statusOf } = deploys;
    const [id = ''] = await leftBehind(deploys);
    await clock.advance(5 * MINUTE_MS);
    deploy(deploys, 2);
    await clock.advance(50_000);
    expect(statusOf(id)).toBe('SUBMITTED');
    await clock.until(() => statusOf(id) === 'WAITING', 20_000);
  });

  it('and what a gateway keeps is left alone', async () => {
    const deploys = openDeploys();
    const { clock, record, open } = deploys;
    const front = open({ worker: false });
    front.declare(handler(answered(''), 'axp.intent'));
    const id = await deploys.submit(front, 'axp.intent');
    deploy(deploys, 2);
    await clock.advance(10 * MINUTE_MS);
    expect(record(id).status).toBe('SUBMITTED');
  });
});

describe('looking for what nobody takes', () => {
  it('costs nothing while nothing happens, and parks a large backlog in batches', async () => {
    const deploys = openDeploys();
    const { clock, data, open, statusOf } = deploys;
    const ids = await leftBehind(deploys, 1_500);
    const calls: string[] = [];
    const store = aroundStore(memoryStore(data), (method, call) => {
      calls.push(method);
      return call();
    });
    const api = open({ store });
    api.declare(handler(answered('')), { version: 2 });
    await clock.until(() => ids.every((id) => statusOf(id) === 'WAITING'), MINUTE_MS + 10_000);
    await clock.advance(2 * MINUTE_MS);
    const commits = calls.filter((method) => method === 'commit').length;
    expect(commits).toBeLessThanOrEqual(20);
    calls.length = 0;
    await clock.advance(4 * MINUTE_MS);
    expect(calls).toEqual([]);
  });

  it('is off with parkAfterMs: null', async () => {
    const deploys = openDeploys();
    const { clock, open, record } = deploys;
    const [id = ''] = await leftBehind(deploys);
    open({ parkAfterMs: null }).declare(handler(answered('')), { version: 2 });
    await clock.advance(20 * MINUTE_MS);
    expect(record(id).status).toBe('SUBMITTED');
  });

  it('goes on after an outage of the store', async () => {
    const deploys = openDeploys();
    const { clock, data, open, statusOf } = deploys;
    const [id = ''] = await leftBehind(deploys);
    let isAway = false;
    const store = aroundStore(memoryStore(data), (_, call) =>
      isAway ? Promise.reject(new Error('away')) : call(),
    );
    open({ store }).declare(handler(answered('')), { version: 2 });
    await clock.advance(30_000);
    isAway = true;
    await clock.advance(2 * MINUTE_MS);
    isAway = false;
    await clock.until(() => statusOf(id) === 'WAITING', 3 * MINUTE_MS);
  });
});
