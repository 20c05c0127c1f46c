import { spawn, spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';

/** How an example is started. */
interface Example {
  readonly script: string;
  /** The folder to compile first, for code that Node cannot run by leaving its types out. */
  readonly compile?: string;
}

/** The examples that can be started by name. */
const EXAMPLES: Readonly<Record<string, Example>> = {
  express: { script: 'examples/express-sqlite/server.ts' },
  agents: { script: 'examples/agents/server.ts' },
  fastify: { script: 'examples/fastify/server.ts' },
  nestjs: { script: 'examples/nestjs/dist/nestjs/src/main.js', compile: 'examples/nestjs' },
};

const root = fileURLToPath(new URL('../', import.meta.url));

/** Compiles the packages and a folder. @throws Error when that fails; what is wrong was printed. */
function compile(folder: string): void {
  const tsc = `${root}node_modules/typescript/bin/tsc`;
  for (const what of [['-b'], ['-p', folder]]) {
    const { status } = spawnSync(process.execPath, [tsc, ...what], { cwd: root, stdio: 'inherit' });
    if (status !== 0) throw new Error(`tsc ${what.join(' ')} ended with ${status}.`);
  }
}

const [name = ''] = process.argv.slice(2);
const example = EXAMPLES[name];
if (example === undefined) {
  console.error(`pnpm example NAME, where NAME is one of: ${Object.keys(EXAMPLES).join(', ')}.`);
  process.exitCode = 1;
} else {
  if (example.compile !== undefined) compile(example.compile);
  // What is compiled runs on the compiled packages, all else on the sources.
  const conditions = example.compile === undefined ? ['--conditions=durable-source'] : [];
  const child = spawn(process.execPath, [...conditions, root + example.script], {
    stdio: 'inherit',
  });
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => child.kill(signal));
  child.on('exit', (code) => (process.exitCode = code ?? 1));
}
