import type { Submission } from '../engine/submitter.ts';
import type { IntentRecord } from '../state/intent.ts';

/**
 * What an intent that was there already is to a submit: that of the `same` submit, sent again; one of
 * another submit that is `alike`, as its live key says; or one whose idempotency key was `reused` for it.
 */
export function earlierOf(
  { idempotency: earlier, liveKey }: IntentRecord,
  submission: Pick<Submission, 'idempotency' | 'liveKey'>,
): 'same' | 'alike' | 'reused' {
  const { idempotency } = submission;
  const isOwn = idempotency !== null && earlier?.key === idempotency.key;
  if (!isOwn && liveKey !== undefined && liveKey === submission.liveKey) return 'alike';
  return earlier?.fingerprint === idempotency?.fingerprint ? 'same' : 'reused';
}
