import type { Operation, WireSnapshot } from '@durable-api/client';
import { isTerminal } from '@durable-api/protocol';
import type { Given } from './command.ts';
import { limited } from './connect.ts';
import { EXIT, EXIT_OF_STATUS } from './exit-code.ts';
import type { Terminal } from './terminal.ts';
import { Timeline } from './timeline.ts';

/** Shows an operation to its end; the exit code says how that was. */
export async function watch(
  operation: Operation,
  given: Given,
  terminal: Terminal,
  after = 0,
): Promise<number> {
  const timeline = new Timeline(terminal);
  const isJson = given.has('json');
  let exit: number = EXIT.ok;
  try {
    for await (const event of operation.observe({ after, signal: limited(given, terminal) })) {
      if (isJson) terminal.stdout.write(`${JSON.stringify(event)}\n`);
      else timeline.show(event);
      if (isTerminal(event.status)) exit = EXIT_OF_STATUS[event.status];
    }
  } finally {
    timeline.clear();
  }
  return exit;
}

/** Prints a snapshot as lines for people, or as one of JSON. */
export function showSnapshot(snapshot: WireSnapshot, given: Given, { stdout }: Terminal): void {
  if (given.has('json')) return void stdout.write(`${JSON.stringify(snapshot)}\n`);
  const { ok: _, links, progress, error, ...plainMembers } = snapshot;
  const lines: [string, unknown][] = Object.entries(plainMembers);
  if (progress !== undefined) lines.push(['progress', JSON.stringify(progress)]);
  if (error !== undefined) lines.push(['error', `${error.code}: ${error.message}`]);
  lines.push(['events', links.events], ['result', links.result]);
  for (const [name, value] of lines) stdout.write(`${name.padEnd(20)} ${String(value)}\n`);
}
