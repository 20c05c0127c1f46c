import type { WaitingReason } from '@durable-api/protocol';
import { isAgentAddress } from '../agents/agent-ref.ts';
import type { WaitOptions } from '../engine/operation.ts';
import { WaitTimeoutError } from '../errors.ts';
import type { Note } from '../store/store.ts';
import type { ChildEnd } from './child-notes.ts';
import { gatherMs, pausedNote, type AwaitedChild, type Paused, type PausedWait } from './paused.ts';

/** A sleep that a handler is in. */
interface Sleep {
  readonly kind: 'sleep';
  readonly key: string;
  readonly until: number;
  readonly resolve: () => void;
  readonly reject: (error: Error) => void;
}

/** A wait for a signal that a handler is in. */
export interface Wait {
  readonly kind: 'wait';
  readonly key: string;
  readonly name: string;
  readonly options: WaitOptions;
  /** When it began, in whichever attempt. */
  readonly since: number;
  readonly until: number | null;
  readonly resolve: (payload: unknown) => void;
  readonly reject: (error: Error) => void;
}

/** A wait for the end of a child that a handler is in. */
export interface ChildWait {
  readonly kind: 'child';
  readonly id: string;
  readonly operation: string;
  /** When it began in this attempt. */
  readonly since: number;
  readonly resolve: (end: ChildEnd) => void;
  readonly reject: (error: Error) => void;
}

export type Pause = Sleep | Wait | ChildWait;

/** How many children an observer is told of by their ids. */
const MAX_SHOWN = 20;

const REASONS: readonly WaitingReason[] = [
  'WAITING_FOR_HUMAN',
  'WAITING_FOR_AGENT',
  'WAITING_FOR_TOOL',
  'WAITING_FOR_TIME',
];

/** Whom a handler in these pauses waits for: a person before all others. */
export function reasonOf(pauses: readonly Pause[]): WaitingReason {
  const reasons = new Set(
    pauses.map((pause): WaitingReason => {
      if (pause.kind === 'sleep') return 'WAITING_FOR_TIME';
      if (pause.kind === 'child')
        return isAgentAddress(pause.operation) ? 'WAITING_FOR_AGENT' : 'WAITING_FOR_TOOL';
      const { reason, task } = pause.options;
      return reason ?? (task === undefined ? 'WAITING_FOR_TOOL' : 'WAITING_FOR_HUMAN');
    }),
  );
  return REASONS.find((reason) => reasons.has(reason)) ?? 'WAITING_FOR_TIME';
}

/** What an observer is told of pauses. */
export function detailsOf(
  pauses: readonly Pause[],
  resumes: number | null,
): Record<string, unknown> {
  const signals = pauses.flatMap((pause) => {
    if (pause.kind !== 'wait') return [];
    const { name, until, options } = pause;
    const { task } = options;
    return [
      {
        name,
        ...(task !== undefined && { task }),
        ...(until !== null && { timeout_at: new Date(until).toISOString() }),
      },
    ];
  });
  const children = childrenOf(pauses);
  return {
    ...(resumes !== null && { resume_at: new Date(resumes).toISOString() }),
    ...(signals.length > 0 && { signals }),
    ...(children.length > 0 && childDetails(children)),
  };
}

/** What an observer is told of children that are waited for. */
export function childDetails(children: readonly AwaitedChild[]): Record<string, unknown> {
  const shown = children.slice(0, MAX_SHOWN);
  return {
    children: shown.map(({ id, operation }) => ({ intent_id: id, operation })),
    open_children: children.length,
  };
}

function childrenOf(pauses: readonly Pause[]): AwaitedChild[] {
  const ids = new Map<string, AwaitedChild>();
  for (const pause of pauses) {
    if (pause.kind === 'child') ids.set(pause.id, { id: pause.id, operation: pause.operation });
  }
  return [...ids.values()];
}

/** What pauses leave behind when their attempt gives up its place. */
export interface Leaving {
  readonly pauses: readonly Pause[];
  readonly attempt: number;
  /** What the handler waited for the last time: who was reminded then is not reminded of it anew. */
  readonly last: Paused | null;
  /** The seq of the last signal of this name that was taken. */
  readonly takenOf: (name: string) => number;
  readonly now: number;
  /** How long after that children are looked at in case that nobody has told of their end, in ms. */
  readonly lookMs: number;
}

/** Pauses in the form in which they outlast the attempt. */
export function pausedBy(leaving: Leaving): Paused {
  const { pauses, attempt, last, takenOf, now, lookMs } = leaving;
  const sleeps = pauses.filter((pause) => pause.kind === 'sleep');
  const waits = pauses.filter((pause) => pause.kind === 'wait');
  const children = childrenOf(pauses);
  return {
    attempt,
    ...(children.length > 0 && looksAt(children, now, lookMs)),
    sleepUntil: sleeps.length === 0 ? null : Math.min(...sleeps.map(({ until }) => until)),
    waits: waits.map(({ key, name, until, since, options }): PausedWait => {
      const { task = null, remindEveryMs = null, escalateAfterMs } = options;
      const earlier = last?.waits.find((wait) => wait.key === key);
      const remindAt = remindEveryMs === null ? null : since + remindEveryMs;
      const escalateAt = escalateAfterMs === undefined ? null : since + escalateAfterMs;
      return {
        key,
        name,
        after: takenOf(name),
        until,
        task,
        remindEveryMs,
        remindAt: earlier === undefined ? remindAt : earlier.remindAt,
        escalateAt: earlier === undefined ? escalateAt : earlier.escalateAt,
      };
    }),
  };
}

/** When children are first looked at: not before the handler would hear of one that has ended. */
function looksAt(
  children: readonly AwaitedChild[],
  now: number,
  leastMs: number,
): Pick<Paused, 'children' | 'lookMs' | 'lookAt'> {
  const lookMs = Math.max(leastMs, gatherMs(children.length));
  return { children, lookMs, lookAt: now + lookMs };
}

/** The notes by which pauses are found again. */
export function pauseNotes(pauses: readonly Pause[], paused: Paused): Note[] {
  const each = pauses.flatMap((pause): Note[] => {
    if (pause.kind === 'child') return [];
    return [{ key: pause.key, value: String(pause.kind === 'sleep' ? pause.until : pause.since) }];
  });
  return [...each, pausedNote(paused)];
}

export function timedOut({ name, options }: Wait): WaitTimeoutError {
  const message = `No signal "${name}" came within ${options.timeoutMs} ms.`;
  return new WaitTimeoutError(message);
}
