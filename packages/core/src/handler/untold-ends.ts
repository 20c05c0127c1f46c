import type { Command } from '../state/command.ts';
import { endNote, endOf, goneAt } from './child-notes.ts';
import type { HandlerHost } from './host.ts';
import type { ChildWait } from './pause.ts';

/**
 * The command that writes down which of these children have ended, or were removed, though nobody has told;
 * null when none has. `seq` is that up to which ends are known.
 */
export async function untoldEnds(
  host: HandlerHost,
  waits: readonly ChildWait[],
  seq: number,
): Promise<Command | null> {
  const open = new Map(waits.map(({ id, operation }) => [id, operation]));
  if (open.size === 0) return null;
  const found = await host.children.find([...open.keys()]);
  const at = host.clock.now();
  const ended = [...open].flatMap(([id, operation], i) => {
    const record = found[i]?.record;
    const end = record === undefined ? goneAt(id, at) : endOf(record, undefined, at);
    return end === null ? [] : [{ operation, end }];
  });
  if (ended.length === 0) return null;
  const ends = ended.map(({ operation, end: { id, status } }) => ({ id, operation, status }));
  const notes = ended.map(({ end }) => endNote(end));
  return { type: 'childrenEnded', seq, ends, wakeAt: null, notes };
}
