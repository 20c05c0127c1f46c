import { postgresStore } from '@durable-api/store-postgres';
import { Pool } from 'pg';
import { describe, expect, it } from 'vitest';

describe('postgresStore', () => {
  it.each([
    ['neither a pool nor a connectionString', {}, 'either pool'],
    ['both', { pool: new Pool(), connectionString: 'postgres://x' }, 'either pool'],
    ['a pool that is none', { pool: { query: () => {} } }, 'pool: must be a pg Pool'],
    [
      'an unknown option',
      { connectionString: 'postgres://x', shema: 'y' },
      'unknown options: shema',
    ],
    ['an empty schema', { connectionString: 'postgres://x', schema: '' }, 'schema:'],
    ['a schema that is too long', { connectionString: 'x', schema: 'é'.repeat(40) }, 'schema:'],
    ['a timeout of 0', { connectionString: 'postgres://x', timeoutMs: 0 }, 'timeoutMs:'],
    [
      'an unknown durability',
      { connectionString: 'x', acceptDurability: 'none' },
      "'process-crash'",
    ],
  ])('refuses %s and says what to give', (_, options, message) => {
    const open = (): unknown => Reflect.apply(postgresStore, null, [options]);
    expect(open).toThrow(
      expect.objectContaining({
        code: 'options_invalid',
        message: expect.stringContaining(message),
      }),
    );
  });
});
