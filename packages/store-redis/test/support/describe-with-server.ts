import { env, stderr } from 'node:process';
import { describe, it } from 'vitest';
import { redisBinary } from './redis-binary.ts';

/**
 * Like `describe`, for tests that start servers of their own. Without a server program they are skipped,
 * which is said aloud; under CI they fail.
 */
export function describeWithServer(name: string, body: () => void): void {
  if (redisBinary() !== null) {
    describe(name, body);
    return;
  }
  const reason = 'there is no redis-server on the PATH';
  if (env['CI'] === 'true') {
    it(name, () => {
      throw new Error(`Cannot be tested: ${reason}.`);
    });
    return;
  }
  stderr.write(`\n*** SKIPPED, since ${reason}: ${name} ***\n`);
  describe.skip(name, body);
}
