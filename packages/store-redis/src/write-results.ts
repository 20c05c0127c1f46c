import type { WriteFailed } from '@durable-api/core';

/**
 * The results of a batch as the contract wants them: a failure of all is a failure of the call, and one
 * of some is a result of theirs. @throws what the first of them failed with, when all have.
 */
export function writeResults<Result>(
  settled: readonly PromiseSettledResult<Result>[],
): (Result | WriteFailed)[] {
  const [first] = settled;
  if (first?.status === 'rejected' && settled.every(({ status }) => status === 'rejected')) {
    throw first.reason;
  }
  return settled.map((each) =>
    each.status === 'fulfilled' ? each.value : { outcome: 'failed', error: each.reason },
  );
}
