import { z } from 'zod';
import { agentTarget, isAgent, type AgentRef } from './agents/agent-ref.ts';
import { systemClock, type Clock } from './clock.ts';
import { DurableError } from './errors.ts';
import { silentLogger, type Logger } from './logger.ts';
import type {
  BackoffOptions,
  DebounceRule,
  DurableApiOptions,
  Instant,
  LaneRule,
  OperationDefaults,
  OperationOptions,
  ResolvedOperationOptions,
  ResolvedOptions,
} from './options.ts';
import { parseOptions } from './parse-options.ts';
import { resolveSchedules } from './schedule/schedule.ts';
import type { ScheduleOption } from './schedule/schedule-options.ts';
import type { Store } from './store/store.ts';
import { versionedStore } from './store/versioned-store.ts';
import { checkRetention, webhookOptionsSchema } from './webhooks/webhook-options.ts';

const DAY_MS = 86_400_000;
const ms = z.int().min(0);
const count = z.int().min(1);
const given = <T>(what: string, test: (value: unknown) => boolean): z.ZodType<T> =>
  z.custom<T>(test, { error: `must be ${what}` });
const callable = <T>(): z.ZodType<T> => given<T>('a function', (v) => typeof v === 'function');

const version = given<string | number>(
  '1 to 64 letters, digits and "._-", or a whole number',
  isVersion,
);
const backoffSchema: z.ZodType<BackoffOptions> = z.strictObject({
  baseMs: ms.optional(),
  factor: z.number().min(1).optional(),
  maxMs: ms.optional(),
});

/** The schema of {@link OperationOptions}, without defaults. */
const operationOptionsSchema: z.ZodType<OperationOptions> = z.strictObject({
  retries: z.int().min(0).max(1_000).optional(),
  timeoutMs: count.optional(),
  deadlineMs: count.nullable().optional(),
  maxLostLeases: z.int().min(0).optional(),
  backoff: backoffSchema.optional(),
  requireIdempotencyKey: z.boolean().optional(),
  startAfterMs: z
    .union([ms, callable<() => number | undefined>()], {
      error: 'must be ms from 0, or a function',
    })
    .optional(),
  startAt: callable<() => Instant | null | undefined>().optional(),
  dedupe: callable<() => string | number | null | undefined>().optional(),
  debounceMs: count.optional(),
  debounceMaxMs: count.optional(),
  key: callable<() => string>().optional(),
  concurrency: z
    .strictObject(
      { perProcess: count.optional(), perKey: count.optional() },
      { error: 'must be { perProcess: 5 } for each process, { perKey: 5 } over all, or both' },
    )
    .optional(),
  rateLimit: z
    .strictObject({ limit: count.max(10_000), periodMs: count.max(30 * DAY_MS) })
    .optional(),
  priority: z
    .union([z.int().min(-100).max(100), callable<() => number>()], {
      error: 'must be a whole number from -100 to 100, or a function',
    })
    .optional(),
  version: version.optional(),
  runs: z.array(version.nullable()).max(100).optional(),
  agent: given<string | AgentRef>(
    'agent://organisation/workspace/name, or { address, intentType: "report.generate.v1" }',
    isAgent,
  ).optional(),
  // Checked by itself, with messages of its own.
  schedule: z.custom<ScheduleOption>(() => true).optional(),
  webhook: z
    .union([z.string(), callable<() => string | null | undefined>()], {
      error: 'must be a URL, or a function',
    })
    .optional(),
});

const optionsSchema: z.ZodType<ResolvedOptions> = z.strictObject({
  store: given<Store>('a store, for instance sqliteStore("operations.db")', isStore),
  worker: z.boolean().default(true),
  concurrency: count.default(100),
  leaseMs: z.int().min(100).default(15_000),
  cancelGraceMs: ms.default(5_000),
  pollMs: z.int().min(100).default(5_000),
  parkAfterMs: z.int().min(1_000).nullable().default(60_000),
  storeTimeoutMs: z.int().min(10).default(2_000),
  identify: callable<NonNullable<DurableApiOptions['identify']>>().optional(),
  authorize: callable<NonNullable<DurableApiOptions['authorize']>>().optional(),
  exposeErrors: z.boolean().default(() => process.env['NODE_ENV'] !== 'production'),
  defaults: operationOptionsSchema
    .superRefine((defaults, context) => {
      for (const path of ['agent', 'version', 'runs', 'schedule'] as const) {
        if (defaults[path] === undefined) continue;
        const message = 'must be among the options of one operation';
        context.addIssue({ code: 'custom', path: [path], message, input: defaults[path] });
      }
    })
    .prefault({}),
  limits: z
    .strictObject({
      maxPayloadBytes: count.default(262_144),
      maxPayloadDepth: count.default(64),
      maxResultBytes: count.default(1_048_576),
      maxOutputBytes: count.default(16_777_216),
      maxSignalBytes: count.default(4_194_304),
      maxEventBytes: z.int().min(1_024).default(65_536),
      maxEventCount: z.int().min(16).default(10_000),
      maxObserversPerIntent: count.default(10),
      maxObservers: count.default(5_000),
      maxPendingSubmits: count.default(10_000),
    })
    .prefault({}),
  observe: z
    .strictObject({
      heartbeatMs: z.int().min(100).default(15_000),
      maxAgeMs: z.int().min(1_000).default(600_000),
      stalledMs: z.int().min(100).default(30_000),
    })
    .prefault({}),
  retention: z
    .strictObject({
      endedMs: ms.nullable().default(7 * DAY_MS),
      idempotencyMs: ms.default(DAY_MS),
    })
    .prefault({}),
  tickets: z
    .strictObject({
      secret: given<string>('a secret of at least 32 characters', isSecret),
      ttlMs: z.int().min(1_000).max(60_000).default(30_000),
    })
    .nullable()
    .default(null),
  webhooks: webhookOptionsSchema(backoffSchema).nullable().default(null),
  logger: given<Logger>('a logger with debug, info, warn and error', isLogger).default(
    silentLogger,
  ),
  clock: given<Clock>('a clock with now and setTimeout', isClock).default(systemClock),
  random: callable<() => number>().default(() => Math.random),
});

/**
 * Checks options and fills in defaults.
 * @throws DurableError `options_invalid` naming each wrong key, what it must be and what it was.
 */
export function resolveOptions<Source>(options: DurableApiOptions<Source>): ResolvedOptions {
  const resolved = parseOptions(optionsSchema, options, 'durableApi options');
  if (resolved.webhooks !== null) checkRetention(resolved.retention.endedMs);
  return { ...resolved, store: versionedStore(resolved.store) };
}

/** Checks an operation's options and fills in the API's and the library's defaults. */
export function resolveOperationOptions(
  name: string,
  options: OperationOptions,
  defaults: OperationDefaults = {},
): ResolvedOperationOptions {
  const own = parseOptions(operationOptionsSchema, options, `options of operation "${name}"`);
  const pick = <K extends keyof OperationDefaults>(key: K): OperationDefaults[K] =>
    own[key] === undefined ? defaults[key] : own[key];
  const backoff = { ...defaults.backoff, ...own.backoff };
  const deadlineMs = pick('deadlineMs');
  const concurrency = { ...defaults.concurrency, ...own.concurrency };
  const [startAfterMs, startAt] = [pick('startAfterMs'), pick('startAt')];
  const { agent } = own;
  return {
    agent: agent === undefined ? null : agentTarget(agent, name),
    retries: pick('retries') ?? 3,
    timeoutMs: pick('timeoutMs') ?? 900_000,
    deadlineMs: deadlineMs === undefined ? DAY_MS : deadlineMs,
    maxLostLeases: pick('maxLostLeases') ?? 5,
    backoff: {
      baseMs: backoff.baseMs ?? 1_000,
      factor: backoff.factor ?? 2,
      maxMs: backoff.maxMs ?? 60_000,
    },
    requireIdempotencyKey: pick('requireIdempotencyKey') ?? false,
    version: own.version === undefined ? undefined : String(own.version),
    runs: (own.runs ?? []).map((other) => (other === null ? undefined : String(other))),
    start: startAfterMs === undefined && startAt === undefined ? null : { startAfterMs, startAt },
    dedupe: pick('dedupe') ?? null,
    debounce: debounceRule(name, pick),
    webhook: pick('webhook') ?? null,
    perProcess: concurrency.perProcess ?? null,
    lanes: lanesOf({
      key: pick('key'),
      priority: pick('priority'),
      perKey: concurrency.perKey ?? null,
      rateLimit: pick('rateLimit') ?? null,
    }),
    schedules: resolveSchedules(name, own.schedule),
  };
}

function debounceRule(
  name: string,
  pick: <K extends keyof OperationDefaults>(key: K) => OperationDefaults[K],
): DebounceRule | null {
  const [ms, maxMs] = [pick('debounceMs'), pick('debounceMaxMs')];
  if (ms === undefined) return null;
  const refuse = (why: string): never => {
    throw new DurableError('options_invalid', `Invalid options of operation "${name}":\n  ${why}`);
  };
  if (pick('dedupe') === undefined)
    refuse('debounceMs: needs dedupe, which says what submits are about');
  if (pick('startAfterMs') !== undefined || pick('startAt') !== undefined)
    refuse('debounceMs: says when to start; leave startAfterMs and startAt out');
  if (maxMs !== undefined && maxMs < ms) refuse(`debounceMaxMs: must not be below debounceMs`);
  return { ms, maxMs: maxMs ?? 10 * ms };
}

function lanesOf(rule: LaneRule): LaneRule | null {
  const { key, priority, perKey, rateLimit } = rule;
  const isPlain =
    key === undefined && priority === undefined && perKey === null && rateLimit === null;
  return isPlain ? null : { ...rule, priority: priority ?? 0 };
}

function isVersion(value: unknown): boolean {
  if (typeof value === 'number') return Number.isSafeInteger(value) && value >= 0;
  return typeof value === 'string' && /^[0-9A-Za-z._-]{1,64}$/.test(value);
}

function isSecret(value: unknown): boolean {
  return typeof value === 'string' && value.length >= 32;
}

function isStore(value: unknown): boolean {
  return typeof value === 'object' && value !== null && 'claim' in value && 'commit' in value;
}

function isClock(value: unknown): boolean {
  return typeof value === 'object' && value !== null && 'now' in value && 'setTimeout' in value;
}

function isLogger(value: unknown): boolean {
  const levels = ['debug', 'info', 'warn', 'error'];
  return typeof value === 'object' && value !== null && levels.every((level) => level in value);
}
