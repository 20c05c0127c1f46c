import { FOREVER_AT, type Status } from '@durable-api/protocol';
import type { Engine } from '../engine/engine.ts';
import { DurableError } from '../errors.ts';
import type { Instant } from '../options.ts';
import type { IntentRecord } from '../state/intent.ts';
import type { ListRequest } from '../store/store.ts';
import { retryIntent } from './retry-intent.ts';
import { toMs } from './start-at.ts';

/** How an intent can have ended to be retried. */
export type RetryableStatus = Extract<Status, 'FAILED' | 'TIMED_OUT' | 'CANCELED'>;

/** Which intents to retry, and how many at once. */
export interface RetryManyOptions {
  readonly owner?: string | undefined;
  readonly operation?: string | undefined;
  /** Default: FAILED and TIMED_OUT; what somebody has canceled only when it is asked for. */
  readonly statuses?: readonly RetryableStatus[] | undefined;
  /** Only what was submitted at or after this instant. */
  readonly since?: Instant | undefined;
  /** Only what was submitted before this instant. */
  readonly until?: Instant | undefined;
  /** Where an earlier call has left off: its `next`. */
  readonly before?: string | undefined;
  /** At most so many. Default 100, at most 1,000. */
  readonly limit?: number | undefined;
  /** Looks only, and stores nothing. */
  readonly dryRun?: boolean | undefined;
}

/** What one call has retried, newest first. */
export interface RetriedMany {
  /** How many intents fit. */
  readonly found: number;
  readonly retried: readonly {
    /** The id of the intent that ended. */
    readonly from: string;
    /** The intent that does it again. */
    readonly record: IntentRecord;
    /** False when it was there already: of an earlier call, or since the same is under way. */
    readonly isNew: boolean;
  }[];
  /** What `before` of the next call is; null when there are no more. */
  readonly next: string | null;
}

const DEFAULT_STATUSES: readonly RetryableStatus[] = ['FAILED', 'TIMED_OUT'];
const MAX_LIMIT = 1_000;
/** How many are read and stored at once. */
const AT_ONCE = 32;
/** No header can be this: the retries by filter of an intent are one, and none that somebody asked for. */
const KEY = '\0filter';

/** Does again what ended badly and fits, each once, however often it is called: see `Intents.retryMany`. */
export async function retryMany(
  engine: Engine,
  list: (request: ListRequest) => Promise<readonly IntentRecord[]>,
  options: RetryManyOptions,
): Promise<RetriedMany> {
  const { owner, operation, statuses = DEFAULT_STATUSES, dryRun = false } = options;
  const limit = Math.min(MAX_LIMIT, Math.max(1, options.limit ?? 100));
  const since = bound('since', options.since) ?? -Infinity;
  const until = bound('until', options.until);
  const bounds = [options.before, until === undefined ? undefined : firstIdOf(until)];
  const before = bounds.filter((bound) => bound !== undefined).sort()[0];
  const page = await list({
    limit,
    statuses,
    ...(owner !== undefined && { owner }),
    ...(operation !== undefined && { operation }),
    ...(before !== undefined && { before }),
  });
  const fitting = page.filter(({ createdAt }) => createdAt >= since);
  const retried: RetriedMany['retried'][number][] = [];
  const due = dryRun ? [] : fitting;
  for (let from = 0; from < due.length; from += AT_ONCE) {
    const some = due.slice(from, from + AT_ONCE).map((record) => retryOne(engine, record));
    for (const one of await Promise.all(some)) if (one !== null) retried.push(one);
  }
  const isLast = page.length < limit || fitting.length < page.length;
  return { found: fitting.length, retried, next: isLast ? null : (page.at(-1)?.id ?? null) };
}

/** Null when it is gone meanwhile. */
async function retryOne(
  engine: Engine,
  old: IntentRecord,
): Promise<RetriedMany['retried'][number] | null> {
  const { id } = old;
  const declared = engine.operations.findFor(old);
  const found = await engine.find(id, 'input');
  if (found === undefined) return null;
  const { record, isReplayed, isDeduplicated } = await retryIntent(engine, declared, found, KEY);
  return { from: id, record, isNew: !isReplayed && !isDeduplicated };
}

function bound(name: string, instant: Instant | undefined): number | undefined {
  if (instant === undefined) return undefined;
  const ms = toMs(instant);
  if (ms >= 0 && ms < FOREVER_AT) return ms;
  const message = `${name} is no instant. Give a Date, ms, or a date and time with its offset.`;
  throw new DurableError('options_invalid', message);
}

/** The least id that an intent of this instant can have: ids begin with their time. */
function firstIdOf(instant: number): string {
  const time = Math.max(0, instant).toString(16).padStart(12, '0');
  return `${time.slice(0, 8)}-${time.slice(8, 12)}-7000-8000-000000000000`;
}
