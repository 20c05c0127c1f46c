import { describe, expect, it } from 'vitest';
import { DurableApi } from '../../src/durable-api.ts';
import type { OperationOptions } from '../../src/options.ts';
import { memoryStore } from '../../src/store/memory-store.ts';
import { jsonOf, plainRequest } from '../support/bed.ts';
import { answered, handler, openDeploys, type Run } from '../support/deploys.ts';

async function answerOf(api: DurableApi, id: string): Promise<unknown> {
  const response = await api.intents.result(id);
  return response === null ? null : JSON.parse(Buffer.from(response.body).toString('utf8'));
}

describe('an intent of a version', () => {
  it('is worked on only by a process that declares the version', async () => {
    const deploys = openDeploys();
    const { clock, open, statusOf } = deploys;
    const front = open({ worker: false });
    front.declare(handler(answered('front')), { version: 1 });
    const id = await deploys.submit(front);
    const two = open();
    two.declare(handler(answered('two')), { version: 2 });
    await clock.advance(30_000);
    expect(statusOf(id)).not.toBe('COMPLETED');
    const none = open();
    none.declare(handler(answered('none')));
    await clock.advance(30_000);
    expect(statusOf(id)).not.toBe('COMPLETED');
    const one = open();
    one.declare(handler(answered('one')), { version: '1' });
    await clock.until(() => statusOf(id) === 'COMPLETED', 1_000);
    expect(await answerOf(one, id)).toBe('one');
  });

  it('is taken by a handler that runs its version too, and tells which it is', async () => {
    const deploys = openDeploys();
    const { clock, open, statusOf } = deploys;
    const front = open({ worker: false });
    front.declare(handler(answered('')), { version: 1 });
    const one = await deploys.submit(front);
    const before = open({ worker: false });
    before.declare(handler(answered('')));
    const none = await deploys.submit(before);
    const api = open();
    api.declare(
      handler(async ({ version, operation }) => ({ version: version ?? null, operation })),
      { version: 3, runs: [1, null] },
    );
    const three = await deploys.submit(api);
    await clock.until(() => [one, none, three].every((id) => statusOf(id) === 'COMPLETED'), 1_000);
    expect(await answerOf(api, one)).toEqual({ version: '1', operation: 'report' });
    expect(await answerOf(api, none)).toEqual({ version: null, operation: 'report' });
    expect(await answerOf(api, three)).toEqual({ version: '3', operation: 'report' });
  });

  it('is told apart in the record, a list and the snapshot', async () => {
    const deploys = openDeploys();
    const { clock, open, data } = deploys;
    const api = open({ worker: false });
    const two = api.declare(handler(answered('')), { version: 2 });
    api.declare(handler(answered('')), { version: 1 });
    api.declare(handler(answered(''), 'other'), { version: 1 });
    const id = await deploys.submit(api);
    const { record } = await clock.resolve(api.intents.submit('report', {}, { version: 1 }));
    await deploys.submit(api, 'other');
    const list = await api.intents.list({ operation: 'report' });
    const names = list.map(({ operation, version }) => `${operation} ${version}`);
    expect(names.toSorted()).toEqual(['report 1', 'report 2']);
    expect(record.version).toBe('1');
    expect(data.entries.get(id)?.record.operation).toBe('report@@2');
    const reply = await api.handle(two, plainRequest('GET', `/${record.id}`));
    expect(reply && jsonOf(reply)).toMatchObject({ operation: 'report', version: '1' });
  });
});

describe('two versions in one process', () => {
  const both = (api: DurableApi, options: OperationOptions = {}, run: Run = answered('new')) => {
    api.declare(handler(run), { ...options, version: 'b' });
    api.declare(handler(answered('old')), { ...options, version: 'a' });
  };

  it('are given what is theirs; code that names none means the first', async () => {
    const deploys = openDeploys();
    const { clock, open, statusOf } = deploys;
    const api = open();
    both(api);
    const first = await deploys.submit(api);
    const { record } = await clock.resolve(api.intents.submit('report', {}, { version: 'a' }));
    await clock.until(() => [first, record.id].every((id) => statusOf(id) === 'COMPLETED'));
    expect(await answerOf(api, first)).toBe('new');
    expect(await answerOf(api, record.id)).toBe('old');
    await expect(api.intents.submit('report', {}, { version: 'c' })).rejects.toMatchObject({
      code: 'handler_unavailable',
      message: expect.stringContaining('report (version b), report (version a)'),
    });
  });

  it('cannot both take a version', () => {
    const { open } = openDeploys();
    const api = open({ worker: false });
    api.declare(handler(answered('')), { version: 2, runs: [1] });
    expect(() => api.declare(handler(answered('')), { version: 1 })).toThrow(
      expect.objectContaining({ code: 'operation_duplicate' }),
    );
    api.declare(handler(answered('')), { version: 3 });
  });

  it('have room of their own in a process, which what one of them takes shares', async () => {
    const deploys = openDeploys();
    const { clock, open, data } = deploys;
    const front = open({ worker: false });
    for (const version of ['1', '2', '3']) front.declare(handler(answered('')), { version });
    for (const version of ['1', '2', '3']) {
      for (let i = 0; i < 3; i += 1)
        await clock.resolve(front.intents.submit('report', {}, { version }));
    }
    const running: string[] = [];
    let most = 0;
    const run: Run = async ({ version = '' }) => {
      running.push(version);
      most = Math.max(most, running.filter((each) => each !== '3').length);
      await new Promise<void>((resolve) => void clock.setTimeout(resolve, 1_000));
      running.splice(running.indexOf(version), 1);
    };
    const api = open();
    api.declare(handler(run), { version: 2, runs: [1], concurrency: { perProcess: 1 } });
    api.declare(handler(run), { version: 3, concurrency: { perProcess: 1 } });
    await clock.until(() => data.live.size === 0, 20_000);
    expect(most).toBe(1);
  });

  it('share no turns, but the room of a handler, where intents have keys', async () => {
    const deploys = openDeploys();
    const { clock, open, data } = deploys;
    const limits = { concurrency: { perProcess: 1, perKey: 1 } };
    const front = open({ worker: false });
    front.declare(handler(answered('')), { ...limits, version: 1 });
    front.declare(handler(answered('')), { ...limits, version: 2 });
    for (const version of [1, 2, 1, 2, 1])
      await clock.resolve(front.intents.submit('report', {}, { version, key: 'k' }));
    let running = 0;
    let most = 0;
    const api = open();
    api.declare(
      handler(async () => {
        most = Math.max(most, (running += 1));
        await new Promise<void>((resolve) => void clock.setTimeout(resolve, 1_000));
        running -= 1;
      }),
      { ...limits, version: 2, runs: [1] },
    );
    await clock.until(() => data.live.size === 0, 20_000);
    expect(most).toBe(1);
  });
});

describe('a deploy of another version', () => {
  it('finds the same submit again by its idempotency key', async () => {
    const deploys = openDeploys();
    const { clock, open } = deploys;
    const options = { idempotencyKey: 'k' };
    const one = open({ worker: false });
    one.declare(handler(answered('')), { version: 1 });
    const first = await clock.resolve(one.intents.submit('report', {}, options));
    const two = open({ worker: false });
    two.declare(handler(answered('')), { version: 2 });
    const again = await clock.resolve(two.intents.submit('report', {}, options));
    expect(again).toMatchObject({
      isReplayed: true,
      record: { id: first.record.id, version: '1' },
    });
  });

  it('retries with the version that it was, or not at all', async () => {
    const deploys = openDeploys();
    const { clock, open, statusOf } = deploys;
    const one = open();
    one.declare(
      handler(() => Promise.reject(new Error('It broke.'))),
      { version: 1, retries: 0 },
    );
    const id = await deploys.submit(one);
    await clock.until(() => statusOf(id) === 'FAILED');
    const two = open();
    two.declare(handler(answered('two')), { version: 2 });
    await expect(two.intents.retry(id)).rejects.toMatchObject({
      code: 'handler_unavailable',
      message: expect.stringContaining('"report" of version 1'),
    });
    const three = open();
    const operation = three.declare(handler(answered('three')), { version: 3, runs: ['1'] });
    const retried = await clock.resolve(
      three.handle(operation, plainRequest('POST', `/${id}/retry`)),
    );
    expect(retried?.status).toBe(202);
    const all = await three.intents.list({ operation: 'report' });
    expect(all.find(({ retriedFrom }) => retriedFrom === id)).toMatchObject({ version: '3' });
  });

  it('starts children of the version that was named by what it was declared with', async () => {
    const deploys = openDeploys();
    const { clock, open, data } = deploys;
    const api = open();
    api.declare(
      handler(async ({ start }) => {
        await start('page');
        await start({ operation: 'page', version: '1' }, null, { name: 'older' });
      }),
    );
    api.declare(handler(answered(''), 'page'), { version: 2 });
    api.declare(handler(answered(''), 'page'), { version: 1 });
    await deploys.submit(api);
    await clock.until(() => data.entries.size === 3 && data.live.size === 0);
    const stored = [...data.entries.values()].map(({ record }) => record.operation);
    expect(stored).toEqual(['report', 'page@@2', 'page@@1']);
  });
});

describe('what is no version', () => {
  it.each([
    [{ version: '' }, 'version: must be 1 to 64 letters, digits'],
    [{ version: 'a b' }, 'version: must be'],
    [{ version: 1.5 }, 'version: must be'],
    [{ runs: ['a@b'] }, 'runs.0: must be'],
  ])('is refused: %o', (options: OperationOptions, message) => {
    const { open } = openDeploys();
    expect(() => open({ worker: false }).declare(handler(answered('')), options)).toThrow(message);
  });

  it('is refused in a name, and for all operations at once', () => {
    const { open } = openDeploys();
    expect(() => open({ worker: false }).declare(handler(answered(''), 'report@@1'))).toThrow(
      expect.objectContaining({ code: 'operation_unnamed' }),
    );
    const defaults: object = { version: 1 };
    expect(() => new DurableApi({ store: memoryStore(), defaults })).toThrow(
      /defaults\.version: must be among the options of one operation/,
    );
  });
});
