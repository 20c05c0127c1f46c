import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

/** A port that nobody listens on. */
export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  if (address === null || typeof address === 'string') throw new Error('No port was given.');
  return address.port;
}

/** Starts the example's server as a process of its own; resolves when it listens. */
export async function startServer(port: number, store: string): Promise<ChildProcess> {
  const script = fileURLToPath(new URL('../server.ts', import.meta.url));
  const server = spawn(process.execPath, ['--conditions=durable-source', script], {
    env: { ...process.env, PORT: String(port), STORE: store },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const [line] = await Promise.race([once(createInterface(server.stdout), 'line'), died(server)]);
  console.log(`  ${line} (process ${server.pid})`);
  return server;
}

/** Kills the server as a crash would, without a chance to tidy up. */
export async function killServer(server: ChildProcess): Promise<void> {
  const exited = once(server, 'exit');
  server.kill('SIGKILL');
  await exited;
}

async function died(server: ChildProcess): Promise<never> {
  const [code] = await once(server, 'exit');
  throw new Error(`The server did not start: it exited with ${code}.`);
}
