import { parseArgs } from 'node:util';
import { UsageError } from './exit-code.ts';
import type { Terminal } from './terminal.ts';

/** A flag of a command. */
export interface Flag {
  readonly type: 'string' | 'boolean';
  readonly short?: string;
  readonly multiple?: true;
  /** What `--help` calls its value. */
  readonly value?: string;
  readonly help: string;
}

/** What was given on the command line. */
export interface Given {
  readonly positionals: readonly string[];
  has(flag: string): boolean;
  text(flag: string): string | undefined;
  texts(flag: string): readonly string[];
  /** @throws UsageError when it is no whole number from `least` on. */
  count(flag: string, least: number): number | undefined;
}

/** One thing that the program can do. */
export interface Command {
  readonly name: string;
  /** What follows the name on the command line. */
  readonly usage: string;
  readonly summary: string;
  readonly flags: Readonly<Record<string, Flag>>;
  readonly positionals: number;
  /** How many of them may be left out. */
  readonly optionalPositionals?: number;
  readonly examples: readonly string[];
  /** Resolves to the exit code. */
  run(given: Given, terminal: Terminal): Promise<number>;
}

/** Flags that every command takes. */
export const COMMON_FLAGS: Readonly<Record<string, Flag>> = {
  json: { type: 'boolean', help: 'print JSON, one value a line' },
  help: { type: 'boolean', short: 'h', help: 'print this' },
};

/** Reads the arguments of a command. @throws UsageError */
export function parseGiven(command: Command, args: readonly string[]): Given {
  const options = Object.fromEntries(
    Object.entries({ ...command.flags, ...COMMON_FLAGS }).map(([name, flag]) => {
      const { type, short, multiple = false } = flag;
      return [name, { type, multiple, ...(short !== undefined && { short }) }];
    }),
  );
  const { values, positionals } = parse(args, options);
  const isHelp = values['help'] === true;
  const least = command.positionals - (command.optionalPositionals ?? 0);
  const { length } = positionals;
  if (!isHelp && (length > command.positionals || length < least)) {
    throw new UsageError(`It takes: durable ${command.name} ${command.usage}`);
  }
  const texts = (flag: string): string[] =>
    [values[flag]].flat().filter((value) => typeof value === 'string');
  return {
    positionals,
    has: (flag) => values[flag] === true,
    text: (flag) => texts(flag).at(-1),
    texts,
    count(flag, least) {
      const text = texts(flag).at(-1);
      if (text === undefined) return undefined;
      if (/^\d{1,9}$/.test(text) && Number(text) >= least) return Number(text);
      throw new UsageError(`--${flag} takes a whole number from ${least}, not "${text}".`);
    },
  };
}

type ParsedOptions = NonNullable<NonNullable<Parameters<typeof parseArgs>[0]>['options']>;

function parse(
  args: readonly string[],
  options: ParsedOptions,
): { values: Record<string, unknown>; positionals: string[] } {
  try {
    return parseArgs({ args: [...args], options, allowPositionals: true });
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : String(error));
  }
}
