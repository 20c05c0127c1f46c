import type { MissedTicks } from './schedule-options.ts';
import type { Ticks } from './ticks.ts';

/** The most missed ticks that are caught up with. */
const MAX_MISSED = 1_000;

/** What a schedule has been waiting for, and how it deals with it. */
export interface DueSetup {
  readonly ticks: Ticks;
  readonly missed: MissedTicks;
  /** Age up to which a tick is late and not missed: somebody has died on the way, or a start took its time. */
  readonly lateMs: number;
}

/** The ticks from `nextAt` until `now` that start an intent, in order. */
export function dueTicks(
  { ticks, missed, lateMs }: DueSetup,
  nextAt: number,
  now: number,
): readonly number[] {
  const lateFrom = Math.max(nextAt, now - lateMs);
  const late = ticks.between(lateFrom, now);
  if (lateFrom === nextAt || missed === 'skip') return late;
  // A later one stands for those that were missed before it.
  if (missed === 'latest' && late.length > 0) return late;
  const count = missed === 'latest' ? 1 : MAX_MISSED;
  return [...ticks.last(count, nextAt, lateFrom - 1), ...late];
}
