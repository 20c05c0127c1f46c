import { randomUUID } from 'node:crypto';
import { redisStore } from '@durable-api/store-redis';
import { expect, it, vi } from 'vitest';
import { ask } from './support/ask.ts';
import { describeWithServer } from './support/describe-with-server.ts';
import { submitRequest } from './support/intents.ts';
import { RedisServer, type ServerConfig } from './support/redis-server.ts';

/** What a store says of a server with this configuration, or why it refuses it. */
async function judge(config: ServerConfig, parameters = ''): Promise<unknown> {
  await using server = await RedisServer.start(config);
  const store = redisStore({ url: server.url + parameters, timeoutMs: 30_000 });
  try {
    await store.migrate();
    return store.capabilities.durability;
  } catch (error) {
    return error;
  } finally {
    await store.close();
  }
}

describeWithServer('a store looks at the configuration of its server and', () => {
  it('refuses one that evicts', async () => {
    for (const policy of ['allkeys-lru', 'allkeys-random', 'volatile-lru', 'volatile-ttl']) {
      const error = await judge({ 'maxmemory-policy': policy });
      expect(error).toMatchObject({ code: 'options_invalid' });
      expect(error).toMatchObject({ message: expect.stringContaining(`"${policy}"`) });
      expect(error).toMatchObject({ message: expect.stringContaining('noeviction') });
    }
  });

  it('refuses one without append-only file', async () => {
    const error = await judge({ appendonly: 'no' });
    expect(error).toMatchObject({ code: 'options_invalid' });
    expect(error).toMatchObject({ message: expect.stringContaining('appendonly to yes') });
    expect(error).toMatchObject({
      message: expect.stringContaining("acceptDurability: 'volatile'"),
    });
  });

  it('takes both when the URL accepts it, and calls them what they are', async () => {
    const accepted = '/?acceptDurability=volatile';
    expect(await judge({ appendonly: 'no' }, accepted)).toBe('none');
    expect(await judge({ 'maxmemory-policy': 'allkeys-lru' }, accepted)).toBe('none');
  });

  it('tells by appendfsync what an acknowledged write survives', async () => {
    expect(await judge({ appendfsync: 'always' })).toBe('power-loss');
    expect(await judge({ appendfsync: 'everysec' })).toBe('process-crash');
    expect(await judge({ appendfsync: 'no' })).toBe('process-crash');
    expect(await judge({ 'no-appendfsync-on-rewrite': 'yes' })).toBe('process-crash');
  });

  it('tells no more than is certain when CONFIG is not to be had', async () => {
    expect(await judge({ 'rename-command': ['CONFIG', ''] })).toBe('process-crash');
    expect(await judge({ 'rename-command': ['CONFIG', ''], appendonly: 'no' })).toMatchObject({
      code: 'options_invalid',
    });
  });

  it('promises nothing before it has looked', async () => {
    const store = redisStore({ url: 'redis://127.0.0.1:1' });
    expect(store.capabilities.durability).toBe('none');
    await store.close();
  });

  it('looks again when the server comes back, and takes no submit that it would not keep', async () => {
    await using server = await RedisServer.start();
    const store = redisStore({ url: server.url, prefix: randomUUID() });
    await store.migrate();
    await store.submit([submitRequest()]);
    await ask(server, (client) => client.config('SET', 'appendonly', 'no'));
    await ask(server, (client) => client.call('CLIENT', 'KILL', 'TYPE', 'normal'));
    await vi.waitFor(
      () =>
        expect(store.submit([submitRequest()])).rejects.toMatchObject({ code: 'options_invalid' }),
      { timeout: 10_000 },
    );
    await ask(server, (client) => client.config('SET', 'appendonly', 'yes'));
    expect(await store.submit([submitRequest()])).toEqual([{ outcome: 'created' }]);
    await store.close();
  });
});

describeWithServer('a data set', () => {
  it('keeps its number of shards', async () => {
    await using server = await RedisServer.start();
    const open = async (options: { shards?: number; prefix?: string }): Promise<void> => {
      const store = redisStore({ url: server.url, timeoutMs: 30_000, ...options });
      try {
        await store.migrate();
      } finally {
        await store.close();
      }
    };
    await open({ shards: 3 });
    await open({});
    await open({ shards: 3 });
    await expect(open({ shards: 4 })).rejects.toMatchObject({
      code: 'options_invalid',
      message: expect.stringContaining('has 3 shards'),
    });
    await open({ prefix: 'other', shards: 4 });
  });

  it('of a newer layout is refused', async () => {
    await using server = await RedisServer.start();
    const store = redisStore({ url: server.url });
    await store.migrate();
    await ask(server, (client) => client.hset('{durable:meta}', 'layout', 3));
    await expect(store.migrate()).rejects.toMatchObject({
      code: 'options_invalid',
      message: expect.stringContaining('newer version'),
    });
    await store.close();
  });

  it('of an older layout is refused if it has several shards', async () => {
    await using server = await RedisServer.start();
    for (const [prefix, shards] of [
      ['one', 1],
      ['many', 4],
    ] as const) {
      const store = redisStore({ url: server.url, prefix, shards });
      await store.migrate();
      await ask(server, (client) => client.hset(`{${prefix}:meta}`, 'layout', 1));
      const again = store.migrate();
      if (shards === 1) await again;
      else await expect(again).rejects.toMatchObject({ code: 'options_invalid' });
      await store.close();
    }
  });

  it('shares nothing with one of another prefix', async () => {
    await using server = await RedisServer.start();
    const stores = ['a', 'a:b'].map((prefix) => redisStore({ url: server.url, prefix }));
    for (const store of stores) await store.migrate();
    const request = submitRequest({ key: 'key' });
    for (const store of stores) {
      expect(await store.submit([request])).toEqual([{ outcome: 'created' }]);
    }
    for (const store of stores) await store.close();
  });
});
