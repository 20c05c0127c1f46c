import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

/** A benched server in a process of its own. */
export interface ServerProcess extends AsyncDisposable {
  readonly origin: string;
  readonly pid: number;
}

/** How a benched server runs. */
export interface ServerOptions {
  /** On the compiled packages, for those whose sources Node cannot run; `pnpm build` makes them. */
  readonly isCompiled?: boolean;
  /** Flags for Node, beside those that every server is started with. */
  readonly flags?: readonly string[];
}

/** Starts `servers/NAME.ts` with a fresh folder for its data; resolves when it listens. */
export async function startServer(
  name: string,
  env: Readonly<Record<string, string>> = {},
  { isCompiled = false, flags = [] }: ServerOptions = {},
): Promise<ServerProcess> {
  const folder = mkdtempSync(join(tmpdir(), 'durable-bench-'));
  const script = fileURLToPath(new URL(`./servers/${name}.ts`, import.meta.url));
  const conditions = isCompiled ? [] : ['--conditions=durable-source'];
  const child = spawn(process.execPath, [...conditions, '--expose-gc', ...flags, script], {
    env: {
      ...process.env,
      NODE_ENV: 'production',
      STORE_FILE: join(folder, 'operations.db'),
      ...env,
    },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const died = once(child, 'exit').then(([code]) => {
    throw new Error(`The server ${name} exited with ${code} before it listened.`);
  });
  const [port] = await Promise.race([once(createInterface(child.stdout), 'line'), died]);
  died.catch(() => {});
  return {
    origin: `http://127.0.0.1:${port}`,
    pid: child.pid ?? 0,
    async [Symbol.asyncDispose]() {
      const exited = once(child, 'exit');
      child.kill('SIGKILL');
      await exited;
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
