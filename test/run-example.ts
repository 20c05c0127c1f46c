import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';

/** The examples that can be started by name. */
const EXAMPLES: Readonly<Record<string, string>> = {
  express: '../examples/express-sqlite/server.ts',
  fastify: '../examples/fastify/server.ts',
};

const [name = ''] = process.argv.slice(2);
const script = EXAMPLES[name];
if (script === undefined) {
  console.error(`pnpm example NAME, where NAME is one of: ${Object.keys(EXAMPLES).join(', ')}.`);
  process.exitCode = 1;
} else {
  const file = fileURLToPath(new URL(script, import.meta.url));
  const child = spawn(process.execPath, ['--conditions=durable-source', file], {
    stdio: 'inherit',
  });
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => child.kill(signal));
  child.on('exit', (code) => (process.exitCode = code ?? 1));
}
