import type { TerminalStatus } from '@durable-api/protocol';

/** How the program ends. */
export const EXIT = {
  ok: 0,
  /** The operation FAILED, or the doctor found something broken. */
  failed: 1,
  /** The command line cannot work. */
  usage: 2,
  canceled: 3,
  timedOut: 4,
  /** The server or the store refused. */
  refused: 5,
  /** There was no answer. */
  unreachable: 6,
  interrupted: 130,
} as const;

/** The exit code for how an operation ended. */
export const EXIT_OF_STATUS: Readonly<Record<TerminalStatus, number>> = {
  COMPLETED: EXIT.ok,
  FAILED: EXIT.failed,
  CANCELED: EXIT.canceled,
  TIMED_OUT: EXIT.timedOut,
};

/** The command line cannot work; the message says what would. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}
