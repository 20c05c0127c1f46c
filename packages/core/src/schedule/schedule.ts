import { z } from 'zod';
import { DurableError } from '../errors.ts';
import type { RequestParts } from '../engine/operation.ts';
import { hashParts } from '../http/fingerprint.ts';
import { checkOwner } from '../owner.ts';
import { parseOptions } from '../parse-options.ts';
import type {
  MissedTicks,
  ScheduleInput,
  ScheduleOption,
  ScheduleOptions,
  Tick,
} from './schedule-options.ts';
import { Ticks } from './ticks.ts';

/** A schedule of an operation with every default in place. */
export interface Schedule {
  readonly operation: string;
  readonly name: string;
  readonly cron: string;
  readonly timeZone: string;
  /** The same as long as name, expression and time zone are; another one is another schedule. */
  readonly id: string;
  readonly ticks: Ticks;
  readonly missed: MissedTicks;
  readonly overlap: 'allow' | 'skip';
  readonly owner: string;
  readonly parts: RequestParts;
  /** Whether the body is the same for each tick. */
  readonly hasFixedInput: boolean;
  /** The body for a tick. */
  readonly inputOf: (tick: Tick) => unknown;
}

const DEFAULT_NAME = 'default';
const FORM = 'a cron expression, { cron: "0 3 * * *" }, or a list of such objects with names';
/** From the second or the minute on. A year would be a schedule that ends, and seven fields have one. */
const FIELDS = /^(?:@[a-z]+|\S+(?:\s+\S+){4,5})$/i;

const record = z.record(z.string(), z.unknown());
const scheduleSchema: z.ZodType<ScheduleOptions> = z.strictObject(
  {
    name: z
      .string()
      .regex(/^[\x20-\x7e]{1,100}$/, { error: 'must have 1 to 100 printable characters' })
      .optional(),
    cron: z.string(),
    timeZone: z.string().optional(),
    input: z.custom<ScheduleInput>(() => true).optional(),
    params: z.record(z.string(), z.string()).optional(),
    query: record.optional(),
    headers: z.record(z.string(), z.string()).optional(),
    captured: record.optional(),
    owner: z.string().optional(),
    missed: z.enum(['latest', 'skip', 'all']).optional(),
    overlap: z.enum(['allow', 'skip']).optional(),
  },
  { error: ({ code }) => (code === 'invalid_type' ? `must be ${FORM}` : undefined) },
);
const oneSchema = z.strictObject({ schedule: scheduleSchema });
const listSchema = z.strictObject({ schedule: z.array(scheduleSchema) });

/**
 * Checks the schedules of an operation and fills in defaults.
 * @throws DurableError `options_invalid`
 */
export function resolveSchedules(
  operation: string,
  option: ScheduleOption | undefined,
): readonly Schedule[] {
  if (option === undefined) return [];
  const refuse = (why: string): never => {
    const message = `Invalid options of operation "${operation}":\n  schedule: ${why}`;
    throw new DurableError('options_invalid', message);
  };
  const given: unknown = typeof option === 'string' ? { cron: option } : option;
  const what = `options of operation "${operation}"`;
  const list = Array.isArray(given)
    ? parseOptions(listSchema, { schedule: given }, what).schedule
    : [parseOptions(oneSchema, { schedule: given }, what).schedule];
  const schedules = list.map((one) => toSchedule(operation, one, refuse));
  const names = schedules.map(({ name }) => name);
  const twice = names.find((name, i) => names.indexOf(name) !== i);
  if (twice !== undefined)
    refuse(`two are called "${twice}". Give each one a name of its own: { name: "nightly", … }`);
  return schedules;
}

function toSchedule(
  operation: string,
  options: ScheduleOptions,
  refuse: (why: string) => never,
): Schedule {
  const { name = DEFAULT_NAME, timeZone = 'UTC', owner = '', input, ...others } = options;
  const { missed = 'latest', overlap = 'allow', cron: written, ...parts } = others;
  const cron = written.trim().replaceAll(/\s+/g, ' ');
  checkOwnerOption(owner, refuse);
  return {
    operation,
    name,
    cron,
    timeZone,
    id: hashParts(['schedule', operation, name, cron, timeZone]),
    ticks: ticksOf(cron, timeZone, refuse),
    missed,
    overlap,
    owner,
    parts,
    hasFixedInput: !isInputHook(input),
    inputOf: isInputHook(input) ? input : () => input,
  };
}

function ticksOf(cron: string, timeZone: string, refuse: (why: string) => never): Ticks {
  if (!isTimeZone(timeZone))
    refuse(`there is no time zone "${timeZone}". Give an IANA name, as "Europe/Berlin"`);
  const advice = 'Give five fields, as "0 3 * * MON-FRI", or six with the seconds first';
  if (!FIELDS.test(cron)) refuse(`"${cron}" is no cron expression. ${advice}`);
  try {
    return new Ticks(cron, timeZone);
  } catch (error) {
    const why = error instanceof Error ? error.message.replace(/^\w+: |\.$/g, '') : String(error);
    return refuse(`"${cron}" cannot be used: ${why}. ${advice}`);
  }
}

function isTimeZone(name: string): boolean {
  try {
    return new Intl.DateTimeFormat('en', { timeZone: name }).format() !== '';
  } catch {
    return false;
  }
}

function isInputHook(input: unknown): input is (tick: Tick) => unknown {
  return typeof input === 'function';
}

function checkOwnerOption(owner: string, refuse: (why: string) => never): void {
  try {
    checkOwner(owner);
  } catch (error) {
    refuse(error instanceof Error ? error.message : String(error));
  }
}
