import { readFileSync } from 'node:fs';
import { DurableClientError } from '@durable-api/client';
import { isDurableError } from '@durable-api/core';
import { parseGiven, type Command } from './command.ts';
import { cancel } from './commands/cancel.ts';
import { get, observe, result } from './commands/intent.ts';
import { doctor } from './commands/doctor.ts';
import { keys } from './commands/keys.ts';
import { retry } from './commands/retry.ts';
import { serve } from './commands/serve.ts';
import { list, migrate, prune } from './commands/store.ts';
import { submit } from './commands/submit.ts';
import { EXIT, UsageError } from './exit-code.ts';
import { helpOf, overview } from './help.ts';
import { painter, plain, type Terminal } from './terminal.ts';

const COMMANDS: readonly Command[] = [
  submit,
  observe,
  get,
  result,
  cancel,
  list,
  retry,
  migrate,
  prune,
  doctor,
  serve,
  keys,
];

const EXIT_OF_CODE: Readonly<Record<string, number>> = {
  intent_failed: EXIT.failed,
  intent_canceled: EXIT.canceled,
  intent_timed_out: EXIT.timedOut,
  network: EXIT.unreachable,
  timeout: EXIT.unreachable,
  usage: EXIT.usage,
};

/** Does what the arguments say, and resolves to the exit code. */
export async function run(args: readonly string[], terminal: Terminal): Promise<number> {
  const [name = '--help', ...rest] = args;
  if (['--help', '-h', 'help'].includes(name)) {
    terminal.stdout.write(overview(COMMANDS));
    return EXIT.ok;
  }
  if (name === '--version') {
    terminal.stdout.write(`${version()}\n`);
    return EXIT.ok;
  }
  try {
    const command = COMMANDS.find((one) => one.name === name);
    if (command === undefined) {
      throw new UsageError(`There is no command "${name}". "durable --help" lists them.`);
    }
    const given = parseGiven(command, rest);
    if (given.has('help')) {
      terminal.stdout.write(helpOf(command));
      return EXIT.ok;
    }
    return await command.run(given, terminal);
  } catch (error) {
    return report(error, terminal);
  }
}

function version(): string {
  const file = new URL('../package.json', import.meta.url);
  return String(Object(JSON.parse(readFileSync(file, 'utf8'))).version);
}

function report(error: unknown, terminal: Terminal): number {
  const { stderr, signal } = terminal;
  if (signal.aborted) return EXIT.interrupted;
  const message = error instanceof Error ? error.message : String(error);
  const code = error instanceof DurableClientError || isDurableError(error) ? error.code : null;
  const label = code ?? (error instanceof Error ? error.name : 'Error');
  stderr.write(`${painter(terminal, stderr)('red', label)}: ${plain(message)}\n`);
  if (error instanceof UsageError) return EXIT.usage;
  if (error instanceof Error && error.name === 'TimeoutError') return EXIT.unreachable;
  if (code === null) return EXIT.failed;
  return EXIT_OF_CODE[code] ?? EXIT.refused;
}
