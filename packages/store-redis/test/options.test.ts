import { redisStore } from '@durable-api/store-redis';
import { Redis } from 'ioredis';
import { describe, expect, it } from 'vitest';
import { resolveOptions } from '../src/options.ts';

describe('the options of a Redis store', () => {
  it('have defaults', () => {
    expect(resolveOptions({ url: 'redis://localhost' })).toMatchObject({
      prefix: 'durable',
      acceptsVolatile: false,
      shards: null,
      requireReplicas: 0,
      timeoutMs: 1_500,
    });
  });

  it('are taken from the URL as well, and what else it says goes to ioredis', () => {
    const url = 'redis://me:secret@host:7000/3?prefix=app&acceptDurability=volatile&family=6';
    const resolved = resolveOptions({ url });
    expect(resolved).toMatchObject({ prefix: 'app', acceptsVolatile: true });
    expect(resolved.client.options).toMatchObject({
      host: 'host',
      port: 7000,
      username: 'me',
      password: 'secret',
      db: 3,
      family: 6,
    });
  });

  it.for<[object, string]>([
    [{}, 'Give either url or client'],
    [{ url: 'redis://a', client: new Redis({ lazyConnect: true }) }, 'Give either url or client'],
    [{ url: 'http://a' }, 'url takes redis://'],
    [{ url: 'localhost' }, 'url takes redis://'],
    [{ url: 'redis://a', prefix: '' }, 'prefix takes'],
    [{ url: 'redis://a', prefix: 'a}b' }, 'prefix takes'],
    [{ url: 'redis://a', acceptDurability: 'yes' }, 'acceptDurability takes "volatile"'],
    [{ url: 'redis://a?acceptDurability=1' }, 'acceptDurability takes "volatile"'],
    [{ url: 'redis://a', shards: 0 }, 'shards takes a whole number'],
    [{ url: 'redis://a', requireReplicas: 1.5 }, 'requireReplicas takes a whole number'],
    [{ url: 'redis://a', timeoutMs: Infinity }, 'timeoutMs takes a whole number'],
    [{ url: 'redis://a', keyPrefix: 'x' }, 'There is no option "keyPrefix"'],
  ])('are refused when they are wrong: %j', ([options, message]) => {
    // As callers do that are not type-checked.
    expect(() => Reflect.apply(redisStore, undefined, [options])).toThrow(
      expect.objectContaining({
        code: 'options_invalid',
        message: expect.stringContaining(message),
      }),
    );
  });
});
