import { isTerminal, type Failure, type TerminalStatus } from '@durable-api/protocol';
import type { Note } from '../store/store.ts';
import type { IntentRecord, StoredResponse } from '../state/intent.ts';
import { inlineResult } from '../state/inline-result.ts';

const STARTED = 'child:';
const ENDED = 'ended:';
/** The key of {@link DRIVEN_NOTE}. */
const DRIVEN = 'driven';

/**
 * The note by which a parent says that it has no handler: whoever drives it, see `Ledger.drive`, is called as
 * soon as one of its children has ended, in whatever process that was.
 */
export const DRIVEN_NOTE: Note = { key: DRIVEN, value: 'true' };

/** A child as its parent remembers it, from before it is stored. */
export interface StoredChild {
  readonly id: string;
  /** Its operation, or the address of the agent that works on it. */
  readonly operation: string;
  /** Its key, which is a part of its place and so of its id; absent when it was given none. */
  readonly key?: string;
  /** A hash of what it was started with. */
  readonly fingerprint: string;
  /** When it was started. */
  readonly at: number;
}

/** How a child ended, as its parent remembers it. */
export interface ChildEnd {
  readonly id: string;
  /** When the parent came to know of it. */
  readonly at: number;
  /** `GONE` when it was removed before anybody told its parent of its end. */
  readonly status: TerminalStatus | 'GONE';
  readonly error: Failure | null;
  /** What it answered, when that is JSON of at most 16 KiB; else it is to be read from the child. */
  readonly answer: ChildAnswer | null;
}

/** The answer of a child that COMPLETED. */
export interface ChildAnswer {
  readonly status: number;
  readonly value: unknown;
}

/** The note that a child is remembered by; `name` tells it apart from the others of its parent. */
export function childNote(name: string, child: StoredChild): Note {
  return { key: STARTED + name, value: JSON.stringify(child) };
}

/** The child of this name; null when there is none yet. */
export function childOf(notes: ReadonlyMap<string, string>, name: string): StoredChild | null {
  const value = notes.get(STARTED + name);
  return value === undefined ? null : JSON.parse(value);
}

/** How a child has ended; null when it has not. `result` may be left out where it is not known. */
export function endOf(
  { id, status, error }: IntentRecord,
  result: StoredResponse | undefined,
  at: number,
): ChildEnd | null {
  if (!isTerminal(status)) return null;
  const answer = status === 'COMPLETED' && result !== undefined ? answerOf(result) : null;
  return { id, at, status, error: status === 'FAILED' ? error : null, answer };
}

/** The end of a child that is not there any more. */
export function goneAt(id: string, at: number): ChildEnd {
  return { id, at, status: 'GONE', error: null, answer: null };
}

function answerOf(result: StoredResponse): ChildAnswer | null {
  const details = inlineResult(result);
  return 'result' in details ? { status: result.status, value: details['result'] } : null;
}

/** The note of a child's end. */
export function endNote({ id, ...rest }: ChildEnd): Note {
  return { key: ENDED + id, value: JSON.stringify(rest) };
}

/** The ends of children among notes, by the child's id. */
export function endsOf(notes: readonly Note[]): Map<string, ChildEnd> {
  const ends = new Map<string, ChildEnd>();
  for (const { key, value } of notes) {
    if (!key.startsWith(ENDED)) continue;
    const id = key.slice(ENDED.length);
    const rest: Omit<ChildEnd, 'id'> = JSON.parse(value);
    ends.set(id, { id, ...rest });
  }
  return ends;
}

/** Whether notes are those of a parent without a handler. */
export function isDriven(notes: readonly Note[]): boolean {
  return notes.some(({ key }) => key === DRIVEN);
}

/** The ids of the children among notes whose end is known. */
export function endedIds(notes: readonly Note[]): Set<string> {
  const ended = notes.filter(({ key }) => key.startsWith(ENDED));
  return new Set(ended.map(({ key }) => key.slice(ENDED.length)));
}

/** The addresses of the agents that work on children among notes, by the child's id. */
export function agentsOf(notes: readonly Note[]): Map<string, string> {
  const agents = notes
    .filter(({ key, value }) => key.startsWith(STARTED) && value.includes('"agent://'))
    .map(({ value }): StoredChild => JSON.parse(value));
  return new Map(agents.map(({ id, operation }) => [id, operation]));
}

/** The children among notes of whose end nothing is known. */
export function openChildren(notes: readonly Note[]): StoredChild[] {
  const ended = endedIds(notes);
  return notes
    .filter(({ key }) => key.startsWith(STARTED))
    .map(({ value }): StoredChild => JSON.parse(value))
    .filter(({ id }) => !ended.has(id));
}
