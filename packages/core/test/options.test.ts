import { describe, expect, it } from 'vitest';
import { DurableApi } from '../src/durable-api.ts';
import { isDurableError } from '../src/errors.ts';
import { resolveOperationOptions, resolveOptions } from '../src/resolve-options.ts';
import { memoryStore } from '../src/store/memory-store.ts';
import { respond } from './support/bed.ts';

const store = memoryStore();

const errorOf = (action: () => unknown): { code: unknown; message: string } => {
  try {
    action();
  } catch (error) {
    return { code: Object(error).code, message: String(Object(error).message) };
  }
  return { code: null, message: '' };
};

describe('the options of an API', () => {
  it('have the defaults that are documented', () => {
    expect(resolveOptions({ store })).toMatchObject({
      worker: true,
      concurrency: 100,
      leaseMs: 15_000,
      cancelGraceMs: 5_000,
      pollMs: 5_000,
      storeTimeoutMs: 2_000,
      limits: {
        maxPayloadBytes: 262_144,
        maxPayloadDepth: 64,
        maxResultBytes: 1_048_576,
        maxEventBytes: 65_536,
        maxEventCount: 10_000,
        maxObserversPerIntent: 10,
        maxObservers: 5_000,
        maxPendingSubmits: 10_000,
      },
      observe: { heartbeatMs: 15_000, maxAgeMs: 600_000, stalledMs: 30_000 },
      retention: { endedMs: 604_800_000, idempotencyMs: 86_400_000 },
    });
    expect(resolveOperationOptions('o', {})).toEqual({
      retries: 3,
      timeoutMs: 900_000,
      deadlineMs: 86_400_000,
      maxLostLeases: 5,
      runs: [],
      backoff: { baseMs: 1_000, factor: 2, maxMs: 60_000 },
      requireIdempotencyKey: false,
      start: null,
      dedupe: null,
      debounce: null,
      webhook: null,
      perProcess: null,
      lanes: null,
      agent: null,
      schedules: [],
    });
  });

  it.each([
    [{ concurency: 5 }, 'concurency', 'nrecognized key'],
    [{ concurrency: 0 }, 'concurrency', 'received number 0'],
    [{ concurrency: 1.5 }, 'concurrency', 'received number 1.5'],
    [{ concurrency: NaN }, 'concurrency', 'received number NaN'],
    [{ concurrency: Infinity }, 'concurrency', 'received number Infinity'],
    [{ concurrency: '5' }, 'concurrency', 'received string "5"'],
    [{ concurrency: null }, 'concurrency', 'received null'],
    [{ concurrency: 5n }, 'concurrency', 'received bigint 5'],
    [{ concurrency: Symbol('x') }, 'concurrency', 'received symbol'],
    [{ concurrency: [5] }, 'concurrency', 'received a list'],
    [{ concurrency: {} }, 'concurrency', 'received an object'],
    [{ leaseMs: 50 }, 'leaseMs', 'received number 50'],
    [{ identify: 'tenant' }, 'identify', 'must be a function, received string "tenant"'],
    [{ logger: console.log }, 'logger', 'must be a logger'],
    [{ logger: {} }, 'logger', 'debug, info, warn and error, received an object'],
    [{ clock: null }, 'clock', 'must be a clock with now and setTimeout, received null'],
    [{ clock: {} }, 'clock', 'and setTimeout, received an object'],
    [{ store: 'operations.db' }, 'store', 'must be a store'],
    [{ store: {} }, 'store', 'must be a store'],
    [{ limits: { maxBytes: 1 } }, 'limits', 'maxBytes'],
    [{ limits: { maxObservers: -1 } }, 'limits.maxObservers', 'received number -1'],
    [{ retention: { endedMs: '7d' } }, 'retention.endedMs', 'received string "7d"'],
    [{ observe: 5 }, 'observe', 'received number 5'],
    [{ defaults: { retry: 3 } }, 'defaults', 'retry'],
    [{ defaults: { retries: -1 } }, 'defaults.retries', 'received number -1'],
  ])('are refused as %o, saying which, what it must be and what it was', (wrong, key, says) => {
    const { code, message } = errorOf(() => Reflect.construct(DurableApi, [{ store, ...wrong }]));
    expect(code).toBe('options_invalid');
    expect(message).toContain(key);
    expect(message).toContain(says);
  });

  it.each([
    [{ retries: 3 }, 'Unrecognized key: "retries". Known are store, worker, concurrency, '],
    [
      { limits: { maxBytes: 1 } },
      'limits: Unrecognized key: "maxBytes". Known are maxPayloadBytes, ',
    ],
    [{ retries: 3 }, 'clock, random, and those of the adapter'],
    [{ tickets: { key: '' } }, 'tickets: Unrecognized key: "key". Known are secret, ttlMs'],
    [{ defaults: { backoff: { max: 1 } } }, 'Known are baseMs, factor, maxMs'],
  ])('are refused as %o, naming the options that there are', (wrong, says) => {
    expect(errorOf(() => Reflect.construct(DurableApi, [{ store, ...wrong }])).message).toContain(
      says,
    );
  });

  it('say once what was received', () => {
    const { message } = errorOf(() => Reflect.construct(DurableApi, [{ store, worker: 'no' }]));
    expect(message).toBe(
      'Invalid durableApi options:\n' +
        '  worker: Invalid input: expected boolean, received string "no"',
    );
  });

  it.each([undefined, null, 5, 'operations.db', []])('are refused when they are %o', (options) => {
    expect(errorOf(() => Reflect.construct(DurableApi, [options])).code).toBe('options_invalid');
  });

  it('are all named in one error when several are wrong', () => {
    const wrong = { store, leaseMs: 1, pollMs: 1, nonsense: true };
    const { message } = errorOf(() => Reflect.construct(DurableApi, [wrong]));
    for (const key of ['leaseMs', 'pollMs', 'nonsense']) expect(message).toContain(key);
  });

  it('may be undefined where they have a default', () => {
    const options = { store, leaseMs: undefined, limits: undefined, identify: undefined };
    expect(resolveOptions(options).leaseMs).toBe(15_000);
  });
});

describe('the options of an operation', () => {
  it('win over those of the API, also when they are null', () => {
    const defaults = { retries: 9, deadlineMs: 5_000, backoff: { baseMs: 7, maxMs: 9 } };
    expect(
      resolveOperationOptions('o', { deadlineMs: null, backoff: { baseMs: 8 } }, defaults),
    ).toMatchObject({
      retries: 9,
      deadlineMs: null,
      backoff: { baseMs: 8, factor: 2, maxMs: 9 },
    });
  });

  it.each([
    [{ timeoutMs: 0 }, 'timeoutMs'],
    [{ timeout: 5 }, 'timeout'],
    [{ deadlineMs: 'tomorrow' }, 'deadlineMs'],
    [{ backoff: { factor: 0.5 } }, 'backoff.factor'],
    [{ retries: 1_001 }, 'retries'],
    [{ startAfterMs: -1 }, 'startAfterMs'],
    [{ startAt: '2026-01-01T00:00:00Z' }, 'startAt'],
  ])('are refused as %o, naming the operation', (options, key) => {
    const declare = (): unknown =>
      Reflect.apply(resolveOperationOptions, null, ['reports.generate', options]);
    expect(errorOf(declare)).toMatchObject({
      code: 'options_invalid',
      message: expect.stringContaining(key),
    });
    expect(errorOf(declare).message).toContain('reports.generate');
  });
});

describe('a declaration', () => {
  const run = async () => respond();

  it('is refused when its name is taken', () => {
    const api = new DurableApi({ store: memoryStore() });
    api.declare({ name: 'a', run });
    expect(errorOf(() => api.declare({ name: 'a', run })).code).toBe('operation_duplicate');
  });

  it.each(['', ' a', 'a\n', 'é', 'x'.repeat(201)])('is refused with the name %j', (name) => {
    const api = new DurableApi({ store: memoryStore() });
    expect(errorOf(() => api.declare({ name, run })).code).toBe('operation_unnamed');
  });

  it.each(['a', 'POST /reports/:id', 'Reports.generate', 'x'.repeat(200)])(
    'may have the name %j',
    (name) => {
      const api = new DurableApi({ store: memoryStore() });
      expect(api.declare({ name, run }).name).toBe(name);
    },
  );
});

describe('an error of the library', () => {
  it('is told apart by name and code, and never by what it inherits', () => {
    const like = (code: unknown): Error =>
      Object.assign(new Error('x'), { name: 'DurableError', code });
    expect(isDurableError(like('overloaded'))).toBe(true);
    for (const code of ['toString', 'constructor', '__proto__', 'nonsense', 5, undefined]) {
      expect(isDurableError(like(code))).toBe(false);
    }
    expect(isDurableError({ name: 'DurableError', code: 'overloaded' })).toBe(false);
  });
});
