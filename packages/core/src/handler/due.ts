import { isTerminal } from '@durable-api/protocol';
import type { Command } from '../state/command.ts';
import type { Found } from '../store/store.ts';
import { childDetails } from './pause.ts';
import { goesOn, openAwaited, pausedNote, pausedOf, resumeAt } from './paused.ts';
import type { AwaitedChild, Paused, PausedWait } from './paused.ts';

/** The longest time between two looks at children that are waited for, in ms. */
const MAX_LOOK_MS = 3_600_000;

type Told = Extract<Command, { type: 'remind' }>['events'][number];

/**
 * What a suspended intent that is due needs: a command, after which it goes on waiting, or null when the
 * handler has to go on. `find` reads other intents.
 */
export async function whatIsDue(
  found: Found,
  now: number,
  find: (ids: readonly string[]) => Promise<readonly (Found | undefined)[]>,
): Promise<Command | null> {
  const { record, notes = [] } = found;
  const paused = pausedOf(notes, record.attempt);
  if (paused === null || goesOn(paused, notes, now)) return null;
  const isLookedAt = paused.lookAt !== undefined && paused.lookAt <= now;
  const open = isLookedAt ? openAwaited(paused, notes) : [];
  if (open.length > 0) {
    // Who told of its end may have died in between; the handler finds out by itself.
    const children = await find(open.map(({ id }) => id));
    if (children.some((child) => child === undefined || isTerminal(child.record.status)))
      return null;
  }
  const events: Told[] = [];
  const waits = paused.waits.map((wait) => remind(wait, now, events));
  const next = { ...paused, waits, ...(open.length > 0 && lookAgain(paused, open, now, events)) };
  if (events.length === 0) return null;
  const notesOfNext = [pausedNote(next)];
  return { type: 'remind', seq: record.seq, events, resumeAt: resumeAt(next), notes: notesOfNext };
}

/** The next look is after twice the time: a lost word costs at most as long again as was waited before. */
function lookAgain(
  { lookMs = 0 }: Paused,
  open: readonly AwaitedChild[],
  now: number,
  events: Told[],
): Pick<Paused, 'lookAt' | 'lookMs'> {
  events.push({ type: 'intent.waiting', details: childDetails(open) });
  const nextMs = Math.min(2 * lookMs, MAX_LOOK_MS);
  return { lookMs: nextMs, lookAt: now + nextMs };
}

function remind(wait: PausedWait, now: number, events: Told[]): PausedWait {
  const { name, task, remindAt, remindEveryMs, escalateAt } = wait;
  const details = { signal: name, ...(task !== null && { task }) };
  const isReminded = remindAt !== null && remindEveryMs !== null && remindAt <= now;
  const isEscalated = escalateAt !== null && escalateAt <= now;
  if (isReminded) events.push({ type: 'intent.reminder', details });
  if (isEscalated) events.push({ type: 'intent.escalated', details });
  return {
    ...wait,
    // Those that were missed while no process ran are made up for by one.
    remindAt: isReminded ? Math.max(remindAt, now) + remindEveryMs : remindAt,
    escalateAt: isEscalated ? null : escalateAt,
  };
}
