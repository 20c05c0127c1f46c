import type { CallFailure } from './channel.ts';

/** A failure of the store inside the worker thread, to be made a `DurableError` of in the main one. */
export class StoreFailure extends Error {
  readonly code: CallFailure['code'];

  constructor(code: CallFailure['code'], message: string) {
    super(message);
    this.code = code;
  }
}

/** Primary SQLite result codes (https://sqlite.org/rescode.html) that mean something to a caller. */
const SQLITE = {
  BUSY: 5,
  LOCKED: 6,
  READONLY: 8,
  IOERR: 10,
  CORRUPT: 11,
  FULL: 13,
  CANTOPEN: 14,
  NOTADB: 26,
};

const MEANINGS: Readonly<Record<number, readonly [CallFailure['code'], string]>> = {
  [SQLITE.BUSY]: ['store_unavailable', 'Other processes hold the SQLite file for too long.'],
  [SQLITE.LOCKED]: ['store_unavailable', 'The SQLite file is locked.'],
  [SQLITE.READONLY]: [
    'store_unavailable',
    'The SQLite file cannot be written; check its permissions.',
  ],
  [SQLITE.IOERR]: ['store_unavailable', 'The disk of the SQLite file failed to read or write.'],
  [SQLITE.CORRUPT]: ['store_unavailable', 'The SQLite file is damaged; restore it from a backup.'],
  [SQLITE.FULL]: ['store_full', 'The disk of the SQLite file is full; free some space.'],
  [SQLITE.CANTOPEN]: ['store_unavailable', 'The SQLite file cannot be opened; check the path.'],
  [SQLITE.NOTADB]: ['options_invalid', 'The file is no SQLite database; name another one.'],
};

/** What any error of the worker thread means to the caller. */
export function failureOf(error: unknown): CallFailure {
  if (error instanceof StoreFailure) return { code: error.code, message: error.message };
  const message = error instanceof Error ? error.message : String(error);
  const [code, advice] = MEANINGS[primaryCode(error)] ?? [
    'store_unavailable',
    'The SQLite store failed.',
  ];
  return { code, message: `${advice} (${message})` };
}

/** Whether an error is SQLite's "somebody else holds the lock". */
export function isBusy(error: unknown): boolean {
  return primaryCode(error) === SQLITE.BUSY;
}

/** Whether an error lies with the file, so that any other call would meet it too. */
export function isOfTheFile(error: unknown): boolean {
  const code = primaryCode(error);
  // A full disk may still have room for a smaller call.
  return error instanceof StoreFailure || (code in MEANINGS && code !== SQLITE.FULL);
}

function primaryCode(error: unknown): number {
  return error instanceof Error && 'errcode' in error ? Number(error.errcode) & 0xff : NaN;
}
