import { describe, expect, it } from 'vitest';
import { encodeStored } from '../../src/engine/encode-stored.ts';
import { GroupCommit } from '../../src/engine/group-commit.ts';
import { DurableError } from '../../src/errors.ts';
import { createIntent } from '../../src/state/submit.ts';
import { DurableApi } from '../../src/durable-api.ts';
import { memoryData, memoryStore } from '../../src/store/memory-store.ts';
import type { CommitRequest, SubmitRequest } from '../../src/store/store.ts';
import { aroundStore, type StoreMethod } from '../support/around-store.ts';
import { settled } from '../support/virtual-clock.ts';

const NOW = 1_000;

function submitRequest(id: string): SubmitRequest {
  const fresh = { id, operation: 'o', owner: '', deadlineAt: null, idempotency: null };
  const { record, events } = createIntent(fresh, NOW, null);
  return { record, events: encodeStored(id, events), input: '{}' };
}

/** A store whose calls wait for the test, and what was asked of it. */
function heldStore(): {
  commits: GroupCommit;
  calls: { method: StoreMethod; size: number; release: (error?: Error) => void }[];
} {
  const calls: ReturnType<typeof heldStore>['calls'] = [];
  const store = aroundStore(memoryStore(), async (method, call, request) => {
    const gate = Promise.withResolvers<void>();
    const size = Array.isArray(request) ? request.length : 0;
    calls.push({
      method,
      size,
      release: (error) => (error === undefined ? gate.resolve() : gate.reject(error)),
    });
    await gate.promise;
    return call();
  });
  return { commits: new GroupCommit(store), calls };
}

describe('the writes of a process', () => {
  it('go out as one batch when they come in one tick, and gather while two are under way', async () => {
    const { commits, calls } = heldStore();
    const first = Array.from({ length: 5 }, (_, i) => commits.submit(submitRequest(`a${i}`)));
    await settled();
    const second = commits.submit(submitRequest('b'));
    await settled();
    const third = Array.from({ length: 40 }, (_, i) => commits.submit(submitRequest(`c${i}`)));
    await settled();
    expect(calls.map((call) => call.size)).toEqual([5, 1]);
    calls[0]?.release();
    await Promise.all(first);
    await settled();
    expect(calls.map((call) => call.size)).toEqual([5, 1, 40]);
    for (const call of calls) call.release();
    await Promise.all([second, ...third]);
  });

  it('are all told of the failure of their batch, and the next batch goes out', async () => {
    const { commits, calls } = heldStore();
    const first = Promise.allSettled([commits.submit(submitRequest('a'))]);
    await settled();
    const second = commits.submit(submitRequest('b'));
    const error = new DurableError('store_unavailable', 'Away.');
    calls[0]?.release(error);
    expect(await first).toEqual([{ status: 'rejected', reason: error }]);
    await settled();
    calls[1]?.release();
    expect(await second).toEqual({ outcome: 'created' });
  });

  it('are idle only when the last of them is written', async () => {
    const { commits, calls } = heldStore();
    void commits.submit(submitRequest('a'));
    await settled();
    void commits.submit(submitRequest('b'));
    let isIdle = false;
    const idle = commits.idle().then(() => (isIdle = true));
    calls[0]?.release();
    await settled();
    expect(isIdle).toBe(false);
    calls[1]?.release();
    await idle;
  });

  it('are written without one whose change cannot be made', async () => {
    const store = memoryStore();
    const commits = new GroupCommit(store);
    const good = submitRequest('good');
    await commits.submit(good);
    const change: CommitRequest = {
      expected: { seq: 2, lease: null },
      record: { ...good.record, seq: 3 },
      events: [{ seq: 3, type: 'intent.progress', json: '{}' }],
    };
    const poison = commits.commit(() => {
      throw new RangeError('This cannot be serialised.');
    });
    const others = [commits.commit(() => change), commits.commit(() => null)];
    await expect(poison).rejects.toThrow('This cannot be serialised.');
    expect(await Promise.all(others)).toEqual([{ outcome: 'ok' }, null]);
  });

  it('fail alone when the store says that they alone have failed', async () => {
    const error = new DurableError('store_unavailable', 'One part of the store is away.');
    const memory = memoryStore();
    const commits = new GroupCommit({
      ...memory,
      submit: async (batch) =>
        batch.map(({ record }) =>
          record.id === 'b' ? { outcome: 'failed', error } : { outcome: 'created' },
        ),
      commit: async (batch) => batch.map(() => ({ outcome: 'failed', error })),
    });
    const submits = ['a', 'b', 'c'].map((id) => commits.submit(submitRequest(id)));
    const created = { status: 'fulfilled', value: { outcome: 'created' } };
    const failed = { status: 'rejected', reason: error };
    expect(await Promise.allSettled(submits)).toEqual([created, failed, created]);
    const { record } = submitRequest('a');
    const request = { expected: { seq: 2, lease: null }, record, events: [] };
    await expect(commits.commit(() => request)).rejects.toBe(error);
  });

  it('fail when the store leaves out a result, rather than never end', async () => {
    const store = { ...memoryStore(), commit: async () => [] };
    const commits = new GroupCommit(store);
    const { record } = submitRequest('a');
    const request = { expected: { seq: 2, lease: null }, record, events: [] };
    await expect(commits.commit(() => request)).rejects.toThrow('left out a result');
  });
});

describe('handlers that end at once', () => {
  it('cost one commit each, start and end, however many of them one claim brings', async () => {
    const count = 100;
    const sizes: number[] = [];
    const data = memoryData();
    const response = { status: 200, headers: {}, body: new Uint8Array() };
    const submitting = new DurableApi({ store: memoryStore(data), worker: false });
    submitting.declare({ name: 'op', run: async () => response });
    for (let i = 0; i < count; i += 1) await submitting.intents.submit('op', { body: i });
    await submitting.stop();
    const ended = Promise.withResolvers<void>();
    let endedCount = 0;
    const store = aroundStore(memoryStore(data), async (method, call, request) => {
      const answer = await call();
      if (method !== 'commit' || !Array.isArray(request)) return answer;
      sizes.push(request.length);
      for (const { record } of request) if (record.status === 'COMPLETED') endedCount += 1;
      if (endedCount === count) ended.resolve();
      return answer;
    });
    const working = new DurableApi({ store });
    working.declare({ name: 'op', run: async () => response });
    await ended.promise;
    await working.stop();
    expect(sizes.reduce((sum, size) => sum + size, 0)).toBe(count);
  });
});
