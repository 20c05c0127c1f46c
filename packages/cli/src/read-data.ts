import { readFile } from 'node:fs/promises';
import { UsageError } from './exit-code.ts';
import type { Terminal } from './terminal.ts';

/** The JSON that `--data` gives: itself, or from `@FILE`, or from `@-`. @throws UsageError */
export async function readData(data: string | undefined, { stdin }: Terminal): Promise<unknown> {
  if (data === undefined) return undefined;
  const text = data.startsWith('@') ? await readText(data.slice(1), stdin) : data;
  try {
    return JSON.parse(text);
  } catch {
    throw new UsageError(`--data is no JSON: ${text.slice(0, 60)}`);
  }
}

async function readText(file: string, stdin: Terminal['stdin']): Promise<string> {
  if (file === '-') {
    const chunks: Buffer[] = [];
    for await (const chunk of stdin) chunks.push(Buffer.from(chunk));
    return Buffer.concat(chunks).toString('utf8');
  }
  return readFile(file, 'utf8').catch((error: unknown) => {
    throw new UsageError(`--data @${file} cannot be read.`, { cause: error });
  });
}
