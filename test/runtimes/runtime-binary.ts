import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { arch, platform } from 'node:process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const exec = promisify(execFile);

/** A runtime of JavaScript as npm ships it. */
export interface Runtime {
  readonly version: string;
  /** The package that has the binary. */
  readonly from: string;
  /** Where the binary is in the package. */
  readonly binary: string;
  /** What comes before the program on its command line. */
  readonly args: readonly string[];
}

export function node(version: string): Runtime {
  return { version, from: `node-${platform}-${arch}`, binary: 'bin/node', args: [] };
}

export function bun(version: string): Runtime {
  return { version, from: `@oven/bun-${platform}-${arch}`, binary: 'bin/bun', args: [] };
}

export function deno(version: string): Runtime {
  const from = `@deno/${platform}-${arch}${platform === 'linux' ? '-glibc' : ''}`;
  return { version, from, binary: 'deno', args: ['run', '--allow-all'] };
}

/**
 * The path of the binary, from npm, kept for the next time; null where it cannot be had. It is no
 * dependency, so that who only wants to see the demo need not load it.
 */
export async function runtimeBinary({ version, from, binary }: Runtime): Promise<string | null> {
  const name = `${from.replaceAll('/', '-')}-${version}`;
  const folder = fileURLToPath(new URL(`../../node_modules/.cache/${name}`, import.meta.url));
  const path = `${folder}/node_modules/${from}/${binary}`;
  try {
    if (!existsSync(path)) {
      const what = ['--prefix', folder, '--no-save', '--no-audit', '--no-fund'];
      await exec(
        'npm',
        ['install', '--ignore-scripts', '--global-style', `${from}@${version}`, ...what],
        {
          timeout: 240_000,
        },
      );
    }
    const { stdout } = await exec(path, ['--version']);
    return stdout.includes(version) ? path : null;
  } catch (error) {
    if (process.env['CI'] !== undefined) throw error;
    process.stderr.write(`SKIPPED: there is no ${from} ${version} to be had: ${String(error)}\n`);
    return null;
  }
}
