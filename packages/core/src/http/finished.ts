import { HEADERS, type Failure, type Links } from '@durable-api/protocol';
import { DurableError } from '../errors.ts';
import type { IntentRecord, StoredResponse } from '../state/intent.ts';
import type { FullReply } from './exchange.ts';
import { problemReply } from './reply.ts';

/**
 * The answer for an intent that has ended: the handler's own response, or the stored failure as a
 * problem.
 */
export function finishedReply(
  record: IntentRecord,
  result: StoredResponse | undefined,
  links: Links,
): FullReply {
  const options = { intentId: record.id, links };
  switch (record.status) {
    case 'COMPLETED':
      if (result === undefined) break;
      return {
        kind: 'full',
        status: result.status,
        headers: {
          [HEADERS.cacheControl]: 'no-store',
          ...result.headers,
          [HEADERS.intentId]: record.id,
        },
        body: result.body,
      };
    case 'FAILED': {
      const error = record.error ?? { code: 'unknown', message: 'Unknown.', retryable: false };
      const detail = `The operation failed: ${sentence(error.message)} ${adviceAfter(error)}`;
      const failed = new DurableError('intent_failed', detail, options);
      return problemReply(failed, { error, retryable: error.retryable });
    }
    case 'CANCELED': {
      const detail = 'The operation was canceled, so it has no result.';
      return problemReply(new DurableError('intent_canceled', detail, options));
    }
    case 'TIMED_OUT': {
      const detail = 'The operation was not done when its deadline passed. Submit it again.';
      return problemReply(new DurableError('intent_timed_out', detail, options));
    }
  }
  const detail = `The intent is ${record.status}. Observe it, or ask again later.`;
  const early = new DurableError('intent_not_finished', detail, {
    ...options,
    retryAfterSeconds: 1,
  });
  return problemReply(early, { intentStatus: record.status, retryable: true });
}

function sentence(message: string): string {
  return /[.!?…]$/.test(message) ? message : `${message}.`;
}

function adviceAfter({ retryable }: Failure): string {
  return retryable
    ? 'Submit it again to try anew.'
    : 'The same request is likely to fail again: mend what it says first.';
}
