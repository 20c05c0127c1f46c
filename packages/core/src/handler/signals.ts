import type { Note } from '../store/store.ts';

/** The name of a signal: part of a URL, so that it needs no escaping. */
const NAME = /^[A-Za-z0-9][A-Za-z0-9._~-]{0,99}$/;
const PREFIX = 'signal:';

/** A signal as it is remembered. */
export interface StoredSignal {
  /** The seq of its event. */
  readonly seq: number;
  readonly name: string;
  readonly payload: unknown;
  /** When it came. */
  readonly at: number;
  /** The hash of its idempotency key; null when it had none. */
  readonly key: string | null;
  /** A hash of its name and payload. */
  readonly fingerprint: string;
}

/** Whether a signal can have this name: 1 to 100 letters, digits and `._~-`. */
export function isSignalName(name: unknown): name is string {
  return typeof name === 'string' && NAME.test(name);
}

/** The note that a signal is remembered by. */
export function signalNote({ seq, ...rest }: StoredSignal): Note {
  return { key: `${PREFIX}${seq}`, value: JSON.stringify(rest) };
}

/** How much of notes is signals, in bytes. */
export function bytesOfSignals(notes: readonly Note[]): number {
  return notes.reduce(
    (sum, { key, value }) => sum + (key.startsWith(PREFIX) ? Buffer.byteLength(value) : 0),
    0,
  );
}

/** The signals among notes, in the order in which they came. */
export function signalsOf(notes: readonly Note[]): StoredSignal[] {
  return notes
    .filter(({ key }) => key.startsWith(PREFIX))
    .map(({ key, value }): StoredSignal => {
      const rest: Omit<StoredSignal, 'seq'> = JSON.parse(value);
      return { ...rest, seq: Number(key.slice(PREFIX.length)) };
    })
    .sort((a, b) => a.seq - b.seq);
}
