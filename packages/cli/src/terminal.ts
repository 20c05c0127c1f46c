/** Where the program writes. */
export interface Output {
  write(chunk: string | Uint8Array): unknown;
  readonly isTTY?: boolean | undefined;
  readonly columns?: number | undefined;
}

/** All that the program has of the outside world. */
export interface Terminal {
  readonly stdout: Output;
  readonly stderr: Output;
  readonly stdin: AsyncIterable<string | Uint8Array>;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Aborted when the person at the keyboard has had enough. */
  readonly signal: AbortSignal;
}

const CODES = { red: 31, green: 32, yellow: 33, blue: 34, cyan: 36, dim: 2, bold: 1 } as const;

export type Style = keyof typeof CODES;

/** Paints text for `output`: on a terminal, unless `NO_COLOR` is set; anywhere with `FORCE_COLOR`. */
export function painter(
  { env }: Pick<Terminal, 'env'>,
  output: Output,
): (style: Style, text: string) => string {
  const { NO_COLOR: no, FORCE_COLOR: forced } = env;
  const isOn =
    forced === undefined || forced === ''
      ? output.isTTY === true && (no === undefined || no === '')
      : forced !== '0';
  return (style, text) => (isOn ? `\u001B[${CODES[style]}m${text}\u001B[0m` : text);
}

const CONTROL = /\p{Cc}/gu;

/** Text of others, without what a terminal would take for a command. */
export function plain(text: string): string {
  return text.replace(CONTROL, ' ');
}
