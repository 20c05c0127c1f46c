import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

/** How many stored items per second `drains/NAME.ts` ends with one process. */
export async function drainRate(
  name: string,
  env: Readonly<Record<string, string>>,
): Promise<number> {
  const script = fileURLToPath(new URL(`./drains/${name}.ts`, import.meta.url));
  const args = ['--conditions=durable-source', script];
  const options = { env: { ...process.env, NODE_ENV: 'production', ...env } };
  const { stdout } = await promisify(execFile)(process.execPath, args, options);
  return Number(stdout.trim().split('\n').at(-1));
}
