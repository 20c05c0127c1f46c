import { FOREVER_AT } from '@durable-api/protocol';
import { DurableError } from '../errors.ts';
import type { Instant, StartRule } from '../options.ts';

/** When a submit is to start; what is absent does not decide. */
export interface StartWish {
  readonly startAfterMs?: number | undefined;
  readonly startAt?: Instant | null | undefined;
}

/** RFC 3339 with an offset: without one, the instant would depend on where the server is. */
const RFC_3339 = /^\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d(?::\d\d(?:\.\d+)?)?(?:[Zz]|[+-]\d\d:\d\d)$/;

/** What an operation wants of a request. Rejects with whatever its functions throw. */
export async function startWish(
  { startAfterMs, startAt }: StartRule,
  request: unknown,
): Promise<StartWish> {
  const at = await startAt?.(request);
  if (at !== undefined && at !== null) return { startAt: at };
  if (typeof startAfterMs !== 'function') return { startAfterMs };
  return { startAfterMs: await startAfterMs(request) };
}

/** What an operation wants of all submits, where there is no request to ask about. */
export function ownDelayMs(start: StartRule | null): number | undefined {
  return typeof start?.startAfterMs === 'number' ? start.startAfterMs : undefined;
}

/**
 * The instant at which a submit of `now` may start; undefined for at once.
 * @throws DurableError `start_invalid`
 */
export function startInstant(
  { startAfterMs, startAt }: StartWish,
  now: number,
): number | undefined {
  if (startAt === undefined || startAt === null) {
    if (startAfterMs === undefined) return undefined;
    return checked(startAfterMs >= 0 ? now + startAfterMs : NaN, `${startAfterMs} ms from now`);
  }
  const instant = toMs(startAt);
  return checked(instant, startAt instanceof Date ? 'an invalid Date' : JSON.stringify(startAt));
}

/** An instant in ms since the epoch; NaN for what is none. */
export function toMs(instant: unknown): number {
  if (instant instanceof Date) return instant.getTime();
  if (typeof instant === 'string') return RFC_3339.test(instant) ? Date.parse(instant) : NaN;
  return typeof instant === 'number' ? instant : NaN;
}

function checked(instant: number, what: string): number {
  if (instant < FOREVER_AT) return Math.ceil(instant);
  throw new DurableError(
    'start_invalid',
    `It cannot be started then: ${what.slice(0, 100)}. Name a date and time with its offset, ` +
      'as 2026-11-24T10:00:00Z, before the year 9999.',
  );
}
