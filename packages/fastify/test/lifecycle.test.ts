import { once } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';
import { memoryData, memoryStore, type MemoryData, type Store } from '@durable-api/core';
import fastify, { type FastifyInstance } from 'fastify';
import { expect, it } from 'vitest';
import { durable, durableApi } from '../src/index.ts';
import { createApp, ended, submit } from './app.ts';

const config = { durable: true };

/** Data with one intent of `POST /op` that nobody has worked on. */
async function dataWithIntent(): Promise<{ data: MemoryData; path: string }> {
  const data = memoryData();
  const app = fastify();
  await app.register(durableApi, { store: memoryStore(data), worker: false });
  app.post('/op', { config }, async () => ({}));
  const path = await submit(app);
  await app.close();
  return { data, path };
}

/** A store on `data`, and a promise for the first time that it hands out an intent. */
function claiming(data: MemoryData): { store: Store; claimed: Promise<void> } {
  const store = memoryStore(data);
  const { promise, resolve } = Promise.withResolvers<void>();
  const claim = store.claim.bind(store);
  return {
    claimed: promise,
    store: Object.assign(store, {
      claim: async (request: Parameters<Store['claim']>[0]) => {
        const result = await claim(request);
        if (result.claimed.length > 0) resolve();
        return result;
      },
    }),
  };
}

it('a process that does not listen runs operations once it is ready, after all onReady hooks', async () => {
  const { data, path } = await dataWithIntent();
  const done = Promise.withResolvers<void>();
  const seen: string[] = [];
  const { store, claimed } = claiming(data);
  const app = await createApp({ store });
  app.addHook('onReady', async () => {
    await claimed;
    seen.push('ready');
  });
  app.post('/op', { config }, async () => {
    seen.push('handler');
    done.resolve();
    return {};
  });
  await app.ready();
  await done.promise;
  expect(seen).toEqual(['ready', 'handler']);
  expect((await ended(app, path))['status']).toBe('COMPLETED');
});

it('an app that fails to start calls no handler and gives back what it claimed', async () => {
  const { data, path } = await dataWithIntent();
  let calls = 0;
  const { store, claimed } = claiming(data);
  const broken = await createApp({ store });
  broken.post('/op', { config }, async () => void calls++);
  broken.addHook('onReady', async () => {
    await claimed;
    throw new Error('No database.');
  });
  await expect(broken.ready()).rejects.toThrow('No database.');
  const app = await createApp({ store: memoryStore(data) });
  app.post('/op', { config }, async () => ({}));
  const { status, attempt } = await ended(app, path);
  expect([status, attempt, calls]).toEqual(['COMPLETED', expect.any(Number), 0]);
});

it('what a scope opens stays open until its attempts have ended', async () => {
  const app = await createApp({ graceMs: 10_000 });
  const started = Promise.withResolvers<void>();
  const seen: string[] = [];
  const resource = (name: string) => async (scope: FastifyInstance) => {
    scope.addHook('onClose', async () => void seen.push(`${name} closed`));
  };
  await resource('app')(app);
  await app.register(async (scope) => {
    await resource('scope')(scope);
    scope.post('/op', { config }, async () => {
      started.resolve();
      await once(app.server, 'close');
      // The rest of its work, for which it needs what the scope has open.
      await delay(50);
      seen.push('handler ended');
      return {};
    });
  });
  await app.listen({ port: 0, host: '127.0.0.1' });
  await submit(app);
  await started.promise;
  await app.close();
  expect(seen).toEqual(['handler ended', 'scope closed', 'app closed']);
});

it('graceMs is how long app.close() lets attempts go on', async () => {
  const data = memoryData();
  const app = await createApp({ store: memoryStore(data), graceMs: 50 });
  const reason = Promise.withResolvers<unknown>();
  app.post('/op', { config }, async (request) => {
    const { signal } = durable(request);
    signal.addEventListener('abort', () => reason.resolve(signal.reason));
    return new Promise(() => {});
  });
  const path = await submit(app);
  await app.close();
  expect(await reason.promise).toMatchObject({ cause: 'draining' });
  const other = await createApp({ store: memoryStore(data) });
  other.post('/op', { config }, async () => ({ by: 'other' }));
  expect((await ended(other, path))['status']).toBe('COMPLETED');
});

it('app.durableApi opens and stops it by hand', async () => {
  const app = await createApp();
  app.post('/op', { config }, async () => ({}));
  await app.ready();
  await app.durableApi.ready();
  await app.durableApi.stop({ graceMs: 0 });
  const answer = await app.inject({ method: 'POST', url: '/op', payload: {} });
  expect([answer.statusCode, answer.json().code]).toEqual([503, 'stopping']);
});

it('two scopes can have an API of their own each', async () => {
  const app = fastify();
  for (const prefix of ['/a', '/b']) {
    await app.register(
      async (scope) => {
        await scope.register(durableApi, { store: memoryStore() });
        scope.post('/op', { config: { durable: { name: 'op' } } }, async () => ({ prefix }));
      },
      { prefix },
    );
  }
  const paths = [await submit(app, { url: '/a/op' }), await submit(app, { url: '/b/op' })];
  for (const path of paths) expect((await ended(app, path))['status']).toBe('COMPLETED');
  const strange = paths[0]?.replace('/a/', '/b/') ?? '';
  expect((await app.inject({ url: strange })).statusCode).toBe(404);
  await app.close();
});
