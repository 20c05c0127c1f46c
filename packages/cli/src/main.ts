#!/usr/bin/env node
import { run } from './run.ts';

const interrupted = new AbortController();
process.once('SIGINT', () => interrupted.abort());
// A reader that has seen enough, like `head`, is no error.
process.stdout.on('error', ({ code }: NodeJS.ErrnoException) =>
  process.exit(code === 'EPIPE' ? 0 : 1),
);

const { stdout, stderr, stdin, env } = process;
const terminal = { stdout, stderr, stdin, env, signal: interrupted.signal };
process.exitCode = await run(process.argv.slice(2), terminal);
