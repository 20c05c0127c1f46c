import { DurableError } from '@durable-api/core';
import { describe, expect, it } from 'vitest';
import { storeError } from '../src/redis-error.ts';

describe('an error of Redis', () => {
  it.for([
    ["OOM command not allowed when used memory > 'maxmemory'.", 'store_full'],
    ['MISCONF Redis is configured to save RDB snapshots, but', 'store_full'],
    ["READONLY You can't write against a read only replica.", 'store_unavailable'],
    ['LOADING Redis is loading the dataset in memory', 'store_unavailable'],
    ['CLUSTERDOWN Hash slot not served', 'store_unavailable'],
    ['TRYAGAIN Multiple keys request during rehashing of slot', 'store_unavailable'],
    ['Connection is closed.', 'store_unavailable'],
    ['Whatever else goes wrong', 'store_unavailable'],
  ] as const)('%s is %s', ([message, code]) => {
    const cause = new Error(message);
    const error = storeError(cause);
    expect(error).toMatchObject({ code, cause, options: { retryAfterSeconds: 1 } });
    expect(error.message).toContain(message);
  });

  it('of the connection is told together with that of the call', () => {
    const error = storeError(
      new Error("Stream isn't writeable and enableOfflineQueue options is false"),
      new Error('connect ECONNREFUSED 127.0.0.1:6379'),
    );
    expect(error.message).toContain('There is no connection to Redis.');
    expect(error.message).toContain('ECONNREFUSED');
  });

  it('that is a DurableError already stays as it is', () => {
    const error = new DurableError('stopping', 'Closed.');
    expect(storeError(error)).toBe(error);
  });
});
