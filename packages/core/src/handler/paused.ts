import { FOREVER_AT } from '@durable-api/protocol';
import type { Note } from '../store/store.ts';
import { endedIds } from './child-notes.ts';
import { signalsOf } from './signals.ts';

/** The key of the note that says what a suspended handler waits for. */
const KEY = 'paused';

/** So few children that are still waited for let the handler hear of each end at once. */
const FEW = 8;
/** By how much each further one delays that, and the longest delay, in ms. */
const DELAY_MS = 60;
const MAX_DELAY_MS = 60_000;

/** A wait for a signal, as a suspended handler has left it. */
export interface PausedWait {
  /** Tells it apart from other waits of the handler. */
  readonly key: string;
  readonly name: string;
  /** The seq of the last signal of this name that is taken already. */
  readonly after: number;
  readonly until: number | null;
  readonly task: Readonly<Record<string, unknown>> | null;
  readonly remindEveryMs: number | null;
  readonly remindAt: number | null;
  readonly escalateAt: number | null;
}

/** A child whose end is waited for. */
export interface AwaitedChild {
  readonly id: string;
  readonly operation: string;
}

/** What a suspended handler waits for. */
export interface Paused {
  /** The attempt that was suspended: a later one waits for something else. */
  readonly attempt: number;
  /** When its first sleep ends; null when it has none. */
  readonly sleepUntil: number | null;
  readonly waits: readonly PausedWait[];
  /** The children that had not ended yet; absent when it waits for none. */
  readonly children?: readonly AwaitedChild[];
  /** When they are looked at, in case that nobody has told of their end, and how long that was. */
  readonly lookAt?: number;
  readonly lookMs?: number;
}

export function pausedNote(paused: Paused): Note {
  return { key: KEY, value: JSON.stringify(paused) };
}

/** What the handler last waited for; null when it never did. */
export function lastPaused(notes: readonly Note[]): Paused | null {
  const note = notes.find(({ key }) => key === KEY);
  return note === undefined ? null : JSON.parse(note.value);
}

/** What the handler waits for since this attempt; null when it does not. */
export function pausedOf(notes: readonly Note[], attempt: number): Paused | null {
  const paused = lastPaused(notes);
  return paused?.attempt === attempt ? paused : null;
}

/** When somebody must look at a suspended intent. */
export function resumeAt({ sleepUntil, waits, lookAt }: Paused): number {
  const instants = waits.flatMap(({ until, remindAt, escalateAt }) => [
    until,
    remindAt,
    escalateAt,
  ]);
  const all = [sleepUntil, lookAt ?? null, ...instants];
  return Math.min(...all.map((instant) => instant ?? FOREVER_AT));
}

/** How long a handler that waits for so many more children is left alone when one has ended, in ms. */
export function gatherMs(open: number): number {
  return Math.min(MAX_DELAY_MS, Math.max(0, open - FEW) * DELAY_MS);
}

/** The children that are waited for and whose end nobody has told of. */
export function openAwaited(paused: Paused, notes: readonly Note[]): AwaitedChild[] {
  const { children = [] } = paused;
  if (children.length === 0) return [];
  const ended = endedIds(notes);
  return children.filter(({ id }) => !ended.has(id));
}

/** Whether there is something for which a suspended handler has to go on. */
export function goesOn(paused: Paused, notes: readonly Note[], now: number): boolean {
  const { sleepUntil, waits, children = [] } = paused;
  if (sleepUntil !== null && sleepUntil <= now) return true;
  if (waits.some(({ until }) => until !== null && until <= now)) return true;
  if (openAwaited(paused, notes).length < children.length) return true;
  const signals = signalsOf(notes);
  return waits.some(({ name, after }) => signals.some((s) => s.name === name && s.seq > after));
}
