import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

/** What a process with sleeping intents does. */
export type SleepersMode =
  /** Has so many intents begin to sleep. */
  | 'fill'
  /** Opens the store and does nothing else. */
  | 'idle'
  /** Has so many intents wake in one second. */
  | 'wake';

/** Runs a process with sleeping intents and resolves to its figures. */
export async function runSleepers(
  mode: SleepersMode,
  count: number,
  env: Readonly<Record<string, string>>,
): Promise<Readonly<Record<string, number>>> {
  const script = fileURLToPath(new URL('sleepers.ts', import.meta.url));
  const args = ['--conditions=durable-source', '--expose-gc', script];
  const own = { NODE_ENV: 'production', MODE: mode, COUNT: String(count) };
  const { stdout } = await promisify(execFile)(process.execPath, args, {
    env: { ...process.env, ...own, ...env },
  });
  return JSON.parse(stdout.trim().split('\n').at(-1) ?? '{}');
}
