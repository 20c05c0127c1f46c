import type { RequestParts } from '../engine/operation.ts';

/** A tick of a schedule: what an intent is started by. */
export interface Tick {
  /** The name of the schedule. */
  readonly schedule: string;
  /** The instant that the cron expression names. */
  readonly scheduledFor: Date;
}

/**
 * What becomes of ticks that nobody was there for, for more than a minute: only the last of them starts an
 * intent, or none, or each of the last 1,000.
 */
export type MissedTicks = 'latest' | 'skip' | 'all';

/** The body for each tick, or what gives it; what that throws has the tick tried again. */
export type ScheduleInput = object | string | number | boolean | null | ((tick: Tick) => unknown);

/** When intents of an operation are started by themselves, and with what. */
export interface ScheduleOptions extends RequestParts {
  /**
   * Tells it apart from other schedules of the operation; must survive deploys. Default `default`; each of
   * several has a name of its own.
   */
  readonly name?: string | undefined;
  /**
   * Five fields, from the minute to the day of the week, or six, from the second on: `0 3 * * MON-FRI`. Also
   * `@daily` and its like. `L` is the last day of a month.
   */
  readonly cron: string;
  /** In which the expression is meant, by its IANA name: `Europe/Berlin`. Default `UTC`. */
  readonly timeZone?: string | undefined;
  /** What the handler sees as the body of its request, a JSON value, or what makes it for a tick. Default: none. */
  readonly input?: ScheduleInput | undefined;
  /** Whose the intents are: what `identify` returns for its owner's requests. Default `''`. */
  readonly owner?: string | undefined;
  /** Default `latest`. */
  readonly missed?: MissedTicks | undefined;
  /**
   * Whether a tick starts an intent while that of an earlier one has not ended. Default `allow`; with `skip`
   * such a tick starts none.
   */
  readonly overlap?: 'allow' | 'skip' | undefined;
}

/** One schedule, a list of them that have names, or a cron expression alone. */
export type ScheduleOption = string | ScheduleOptions | readonly ScheduleOptions[];
