import type { Command } from '../state/command.ts';
import type { Note } from '../store/store.ts';

/** No output counts: the note by which a later attempt knows. */
const NO_OUTPUT: readonly Note[] = [{ key: 'output', value: '0' }];

/** What the failure of an attempt that has put out says beside it. */
export const RESETS_OUTPUT: { readonly resetsOutput: true; readonly notes: readonly Note[] } = {
  resetsOutput: true,
  notes: NO_OUTPUT,
};

/** What observers are told when output of a lost attempt counts no longer. */
export const VOID_OUTPUT: Extract<Command, { readonly type: 'output' }> = {
  type: 'output',
  details: { reset: true },
  notes: NO_OUTPUT,
};
