import { existsSync, readdirSync } from 'node:fs';

const ROOT = '/usr/lib';

/**
 * The variables that set a process's clock `seconds` ahead, or behind when negative; its timers go on as
 * usual. Null without libfaketime, Debian's `faketime`: then tests are skipped, loudly, and fail in CI.
 */
export function clockSetBy(seconds: number): Readonly<Record<string, string>> | null {
  const library = readdirSync(ROOT)
    .map((folder) => `${ROOT}/${folder}/faketime/libfaketime.so.1`)
    .find((path) => existsSync(path));
  if (library !== undefined) {
    const offset = seconds < 0 ? String(seconds) : `+${seconds}`;
    return { LD_PRELOAD: library, FAKETIME: offset, FAKETIME_DONT_FAKE_MONOTONIC: '1' };
  }
  const why = 'these tests set the clocks of processes with libfaketime (apt-get install faketime)';
  if (process.env['CI'] === 'true') throw new Error(`Cannot be tested: ${why}.`);
  process.stderr.write(`SKIPPED: ${why}\n`);
  return null;
}
