import { RetryAfterError } from '../errors.ts';
import { HandlerFault } from '../handler-fault.ts';
import type { WebhookAnswer } from './webhook-options.ts';

/** The longest pause that a receiver can ask for, and the shortest, in ms. */
const MAX_RETRY_AFTER_MS = 86_400_000;
const MIN_RETRY_AFTER_MS = 1_000;

/** A delivery that did not succeed, and may later. */
export class DeliveryError extends Error {
  override readonly name = 'DeliveryError';
  /** Its message is for who looks at the delivery. */
  readonly expose = true;
}

/** Why what the receiver answered is no success; null when it is one. `now` is for an instant that it names. */
export function refusalOf({ status, retryAfter }: WebhookAnswer, now: number): Error | null {
  if (status >= 200 && status < 300) return null;
  if (status === 410) {
    const message = 'The receiver answered 410 Gone: it wants no more of these.';
    return new HandlerFault('webhook_gone', message);
  }
  const isRedirect = status >= 300 && status < 400;
  const message = `The receiver answered ${status}.${isRedirect ? ' Redirects are not followed.' : ''}`;
  const pauseMs = status === 429 || status === 503 ? pauseOf(retryAfter, now) : null;
  return pauseMs === null ? new DeliveryError(message) : new RetryAfterError(message, pauseMs);
}

/** What a `Retry-After` (RFC 9110 §10.2.3) asks for; null when it cannot be read. */
function pauseOf(retryAfter: string | undefined, now: number): number | null {
  if (retryAfter === undefined) return null;
  const text = retryAfter.trim();
  const ms = /^\d+$/.test(text) ? Number(text) * 1_000 : Date.parse(text) - now;
  if (Number.isNaN(ms)) return null;
  return Math.min(MAX_RETRY_AFTER_MS, Math.max(MIN_RETRY_AFTER_MS, ms));
}
