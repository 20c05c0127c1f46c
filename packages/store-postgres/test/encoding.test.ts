import * as fc from 'fast-check';
import { afterAll, describe, expect, it } from 'vitest';
import { placed, toStatements } from '../src/batches.ts';
import {
  bigintArray,
  booleanArray,
  byteaArray,
  intArray,
  textArray,
  uuidArray,
} from '../src/binary-array.ts';
import { decodeEvents, encodeEvents } from '../src/stored-events.ts';
import { channelOf, decodeWakeUp, encodeWakeUp } from '../src/wake-up.ts';
import { findTestDatabase } from './support/test-database.ts';

const database = await findTestDatabase();

describe.skipIf(database === null)('arrays in binary', () => {
  if (database === null) return;
  afterAll(() => database.end());

  const echo = async (type: string, array: Buffer): Promise<unknown> => {
    const { rows } = await database.pool.query(
      `SELECT coalesce(array_agg(value::text ORDER BY n), '{}') AS values
       FROM unnest($1::${type}[]) WITH ORDINALITY AS each (value, n)`,
      [array],
    );
    return rows[0]?.values;
  };

  const check = <T>(
    type: string,
    values: fc.Arbitrary<T>,
    encode: (values: T[]) => Buffer,
    expected: (value: T) => string | null,
  ): Promise<void> =>
    fc.assert(
      fc.asyncProperty(fc.array(values, { maxLength: 20 }), async (list) => {
        expect(await echo(type, encode(list))).toEqual(list.map(expected));
      }),
      { numRuns: 50 },
    );

  const text = fc.string({ unit: 'binary' }).filter((value) => !value.includes('\0'));

  it('carry texts and nulls', () => check('text', fc.option(text), textArray, (value) => value));

  it('carry ints', () => {
    const ints = fc.option(fc.integer());
    return check('int', ints, intArray, (value) => (value === null ? null : String(value)));
  });

  it('carry bigints as far as a number is exact', () => {
    const bigints = fc.option(fc.maxSafeInteger());
    return check('bigint', bigints, bigintArray, (value) =>
      value === null ? null : String(value),
    );
  });

  it('carry booleans', () => check('boolean', fc.boolean(), booleanArray, String));

  it('carry ids', () => check('uuid', fc.uuid(), uuidArray, (value) => value));

  it('carry bytes', () =>
    check('bytea', fc.option(fc.uint8Array()), byteaArray, (value) =>
      value === null ? null : `\\x${Buffer.from(value).toString('hex')}`,
    ));

  it('cut fractions off instants', async () => {
    expect(await echo('bigint', bigintArray([1_700_000_000_000.9]))).toEqual(['1700000000000']);
  });
});

describe('the events of a commit', () => {
  it('come back as they were', () => {
    const json = fc.jsonValue().map((value) => JSON.stringify({ value }));
    fc.assert(
      fc.property(fc.array(json, { minLength: 1 }), fc.nat(), (lines, before) => {
        const events = lines.map((line, i) => ({
          seq: before + i + 1,
          type: `intent.type_${i}`,
          json: line,
        }));
        expect(decodeEvents(encodeEvents(events), before + events.length)).toEqual(events);
      }),
    );
  });
});

describe('a batch', () => {
  const items = fc.array(
    fc.record({ id: fc.constantFrom('a', 'b', 'c'), bytes: fc.nat(5_000_000) }),
  );

  it('is cut so that no statement has an id twice, none is too large and order is kept', () => {
    fc.assert(
      fc.property(items, (batch) => {
        const parts = toStatements(
          placed(batch),
          ({ id }) => id,
          ({ bytes }) => bytes,
        );
        const sent = parts.flat();
        expect(sent.map(({ at }) => at).sort((a, b) => a - b)).toEqual(batch.map((_, at) => at));
        for (const part of parts) {
          expect(part.length).toBeGreaterThan(0);
          expect(new Set(part.map(({ item }) => item.id)).size).toBe(part.length);
          const bytes = part.reduce((sum, { item }) => sum + item.bytes, 0);
          expect(part.length === 1 || bytes <= 8 * 1024 * 1024).toBe(true);
        }
        for (const id of ['a', 'b', 'c']) {
          const order = sent.filter(({ item }) => item.id === id).map(({ at }) => at);
          expect(order).toEqual([...order].sort((a, b) => a - b));
        }
      }),
    );
  });

  it('of thousands takes several statements', () => {
    const batch = Array.from({ length: 2_500 }, (_, i) => String(i));
    const sizes = toStatements(
      placed(batch),
      (id) => id,
      () => 1,
    ).map(({ length }) => length);
    expect(sizes).toEqual([1_000, 1_000, 500]);
  });
});

describe('a wake-up', () => {
  it('names as many ids as fit, else everything', () => {
    const ids = Array.from({ length: 300 }, (_, i) =>
      `01966a5e-0000-7000-8000-${i}`.padEnd(36, '0'),
    );
    const some = { sender: 'me', ids: ids.slice(0, 200) };
    expect(decodeWakeUp(encodeWakeUp(some))).toEqual(some);
    expect(encodeWakeUp(some).length).toBeLessThan(8_000);
    expect(decodeWakeUp(encodeWakeUp({ sender: 'me', ids }))).toEqual({ sender: 'me', ids: null });
  });

  it('goes over a channel whose name Postgres takes whole', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme', minLength: 1 }), (schema) => {
        expect(Buffer.byteLength(channelOf(schema))).toBeLessThan(64);
        expect(channelOf(schema).isWellFormed()).toBe(true);
      }),
    );
  });
});
