import type { ResolvedOperationOptions } from '../options.ts';
import type { Command } from '../state/command.ts';
import type { IntentRecord } from '../state/intent.ts';

/**
 * What to do with an intent that was just claimed because it was due: end it, if a cancel was
 * requested, its deadline has passed or it took down too many processes; else start an attempt.
 */
export function nextStep(
  record: IntentRecord,
  options: Pick<ResolvedOperationOptions, 'maxLostLeases'>,
  now: number,
): Command {
  if (record.cancelRequestedAt !== null) return { type: 'cancel' };
  if (record.deadlineAt !== null && record.deadlineAt <= now) return { type: 'timeOut' };
  if (record.lostLeases <= options.maxLostLeases) return { type: 'start' };
  const message =
    `The process that ran the operation went away ${record.lostLeases} times. ` +
    'The operation is stopped before it takes down another one.';
  return { type: 'giveUp', failure: { code: 'crashed', message, retryable: false } };
}
