import type { IntentRecord } from '../state/intent.ts';

/** The longest pause that a client is advised, in seconds: an intent may be canceled meanwhile. */
const MAX_SECONDS = 60;

/** Whether nothing will happen to an intent, unless somebody acts on it, until `at`. */
export function restsUntil({ waitingReason, dueAt }: IntentRecord, at: number): boolean {
  return waitingReason === 'WAITING_FOR_TIME' && dueAt !== null && dueAt > at;
}

/** When to look at an intent again, for `Retry-After`: a second, or until it goes on by itself. */
export function retryAfter(record: IntentRecord, now: number): string {
  const { dueAt } = record;
  if (dueAt === null || !restsUntil(record, now)) return '1';
  return String(Math.min(MAX_SECONDS, Math.ceil((dueAt - now) / 1_000)));
}
