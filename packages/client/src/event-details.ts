import type { Failure, Progress, WireEvent } from '@durable-api/protocol';
import { isFailure, isProgress } from './wire.ts';

/** How far the handler has come, of an `intent.progress`; null of any other event. */
export function progressOf({ event_type: type, details }: WireEvent): Progress | null {
  return type === 'intent.progress' && isProgress(details) ? details : null;
}

/** Why it failed, of an `intent.failed` or `intent.delivery_failed`; null of any other event. */
export function failureOf({ details }: WireEvent): Failure | null {
  const error = details?.['error'];
  return isFailure(error) ? error : null;
}
