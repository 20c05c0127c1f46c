import { COMMON_FLAGS, type Command, type Flag } from './command.ts';

/** What the program can do. */
export function overview(commands: readonly Command[]): string {
  const lines = commands.map(({ name, summary }) => `  ${name.padEnd(9)} ${summary}`);
  return `durable: submit, watch and mend durable operations

${lines.join('\n')}

"durable COMMAND --help" tells more; "durable --version" which this is.

Environment: DURABLE_TOKEN is sent as "Authorization: Bearer …"; DURABLE_STORE is the store of
commands that take --store; NO_COLOR and FORCE_COLOR are understood.
Exit codes: 0 done, 1 the operation failed, 2 usage, 3 canceled, 4 timed out, 5 refused, 6 no answer.
`;
}

/** How one command is used. */
export function helpOf(command: Command): string {
  const flags = Object.entries({ ...command.flags, ...COMMON_FLAGS }).map(flagLine);
  const examples = command.examples.map((example) => `  durable ${example}`);
  return `durable ${command.name} ${command.usage}

${command.summary}

${flags.join('\n')}

Examples:
${examples.join('\n')}
`;
}

function flagLine([name, { short, value, help }]: [string, Flag]): string {
  const long = `--${name}${value === undefined ? '' : ` ${value}`}`;
  return `  ${short === undefined ? '    ' : `-${short}, `}${long.padEnd(22)} ${help}`;
}
