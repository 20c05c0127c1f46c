import type { AgentRef, AgentTarget } from './agents/agent-ref.ts';
import type { Clock } from './clock.ts';
import type { Logger } from './logger.ts';
import type { Schedule } from './schedule/schedule.ts';
import type { ScheduleOption } from './schedule/schedule-options.ts';
import type { IntentRecord } from './state/intent.ts';
import type { RateLimit, Store } from './store/store.ts';
import type { ResolvedWebhookOptions, WebhookOptions } from './webhooks/webhook-options.ts';

/** How long to wait before an attempt that follows a failed one: exponential, full jitter. */
export interface BackoffOptions {
  /** Upper bound of the first wait. Default 1,000 ms. */
  readonly baseMs?: number | undefined;
  /** What each further bound is multiplied by. Default 2. */
  readonly factor?: number | undefined;
  /** Upper bound of any wait. Default 60,000 ms. */
  readonly maxMs?: number | undefined;
}

/** A function of the framework's request, whose parameter may be declared as any kind of it. */
export type RequestHook<Source, Result> = {
  hook(request: Source): Result | Promise<Result>;
}['hook'];

/** An instant: a Date, ms since the epoch, or a date and time of RFC 3339 with its offset. */
export type Instant = Date | number | string;

/** What can be set for one operation, and most of it in `defaults` for all; `Source` is the framework's request. */
export interface OperationOptions<Source = unknown> {
  /** How many attempts may follow a failed one. Default 3. */
  readonly retries?: number | undefined;
  /** Longest duration of one attempt; then it has failed. Default 15 minutes. */
  readonly timeoutMs?: number | undefined;
  /**
   * Longest life of an intent, counted from when it may start; then it is TIMED_OUT. Null for none.
   * Default 24 hours.
   */
  readonly deadlineMs?: number | null | undefined;
  /** How often a process may vanish under an intent before it FAILED as `crashed`. Default 5. */
  readonly maxLostLeases?: number | undefined;
  readonly backoff?: BackoffOptions | undefined;
  /** Whether a submit must bear an `Idempotency-Key`. Default false. */
  readonly requireIdempotencyKey?: boolean | undefined;
  /** How long after its submit an intent may start at the earliest, or what says so of a request. */
  readonly startAfterMs?: number | RequestHook<Source, number | undefined> | undefined;
  /**
   * When the intent of a request may start: `(request) => request.body.publishAt`. Wins over
   * `startAfterMs` unless it returns undefined; an instant that has passed is now. Until then the intent
   * is WAITING. What is no instant is answered 400 `start_invalid`.
   */
  readonly startAt?: RequestHook<Source, Instant | null | undefined> | undefined;
  /**
   * Names what a request is about: `(request) => request.body.accountId`. While an intent of the same
   * owner with this name has not ended, another submit makes none, and is answered with it and
   * `Intent-Deduplicated: true`, whatever its input. Undefined: an intent of its own.
   */
  readonly dedupe?: RequestHook<Source, string | number | null | undefined> | undefined;
  /**
   * With `dedupe`: an intent starts only when no submit of its name has come for so long, with the input
   * of the last. Submits after its start make the next one. All of them are answered with one intent.
   */
  readonly debounceMs?: number | undefined;
  /** Longest that submits can put a start off, from the first on. Default 10 × `debounceMs`. */
  readonly debounceMaxMs?: number | undefined;
  /**
   * What the limits of the operation go by, such as its tenant: `(request) => request.body.tenant`. Keys
   * take turns too, so that one with many intents does not hold up the others. 1 to 200 characters; what
   * is none is answered 400 `operation_key_invalid`, and what it throws is the app's own fault, a 500.
   * Default: one key for all intents of the operation.
   */
  readonly key?: RequestHook<Source, string> | undefined;
  readonly concurrency?: ConcurrencyOptions | undefined;
  /** Most attempts of one `key` that start in any period of this length, over all processes. */
  readonly rateLimit?: RateLimit | undefined;
  /**
   * Which intents go first where not all can: those with the higher number, -100 to 100. Over all keys,
   * and over all operations that have a key, a limit or a priority. Default 0.
   */
  readonly priority?: number | RequestHook<Source, number> | undefined;
  /**
   * Who does the work in place of the handler: `agent://organisation/workspace/name`, or `{ address,
   * intentType }`. A gateway over this API hands the intent on, and the agent's result is the operation's.
   * What the handler answers is what the agent is given, as JSON; the request's body where that is empty.
   * Not among `defaults`.
   */
  readonly agent?: string | AgentRef | undefined;
  /**
   * The version of the handler: 1 to 64 letters, digits and "._-", or a whole number. Intents bear the one
   * that they were submitted to, and only a process that declares it works on them. Default: none.
   */
  readonly version?: string | number | undefined;
  /**
   * Other versions whose intents the handler takes too; `null` are those of none. What a handler is given
   * says which it is: `version` of its context. Default: none but its own.
   */
  readonly runs?: readonly (string | number | null)[] | undefined;
  /**
   * When intents of the operation are started by themselves: `'0 3 * * *'`, or `{ cron, timeZone, input, … }`,
   * or a list of such. Each tick starts one intent, over all processes on the store that declare it.
   */
  readonly schedule?: ScheduleOption | undefined;
  /**
   * Who is told when an intent has ended, with the API's option `webhooks`: a URL for all of them, or what
   * names that of a request: `(request) => request.body.callbackUrl`. Undefined: nobody. One that is not
   * allowed is answered 400 `webhook_invalid`.
   */
  readonly webhook?: string | RequestHook<Source, string | null | undefined> | undefined;
}

/** What can be set for all operations at once. */
export type OperationDefaults<Source = unknown> = Omit<
  OperationOptions<Source>,
  'version' | 'runs' | 'agent' | 'schedule'
>;

/** How many handlers of one operation run at once. */
export interface ConcurrencyOptions {
  /** Most of them in each process. Default: what the process has room for. */
  readonly perProcess?: number | undefined;
  /**
   * Most of them for one `key`, over all processes. An intent that sleeps, waits or backs off takes no
   * place. Default: no limit.
   */
  readonly perKey?: number | undefined;
}

/** What is refused, bounded or dropped. All limits are on by default. */
export interface LimitOptions {
  /** Largest request body as JSON. Default 262,144 bytes. */
  readonly maxPayloadBytes?: number | undefined;
  /** Deepest nesting of a request body. Default 64. */
  readonly maxPayloadDepth?: number | undefined;
  /** Largest body of a handler's response. Default 1,048,576 bytes. */
  readonly maxResultBytes?: number | undefined;
  /** Most that one attempt may put out. Default 16,777,216 bytes. */
  readonly maxOutputBytes?: number | undefined;
  /** All signals of one intent together, which are read at once. Default 4,194,304 bytes. */
  readonly maxSignalBytes?: number | undefined;
  /** Largest event. Default 65,536 bytes. */
  readonly maxEventBytes?: number | undefined;
  /** Most events of one intent; further progress is dropped, the end is always stored. Default 10,000. */
  readonly maxEventCount?: number | undefined;
  /** Most observers of one intent in this process. Default 10. */
  readonly maxObserversPerIntent?: number | undefined;
  /** Most observers in this process. Default 5,000. */
  readonly maxObservers?: number | undefined;
  /** Most submits that wait for their commit; more are answered 503. Default 10,000. */
  readonly maxPendingSubmits?: number | undefined;
}

/** How streams behave. */
export interface ObserveOptions {
  /** Longest silence on a stream before a comment is sent. Default 15,000 ms. */
  readonly heartbeatMs?: number | undefined;
  /** Age at which a stream ends and the observer is asked to reconnect, ± 20 %. Default 10 minutes. */
  readonly maxAgeMs?: number | undefined;
  /** How long an observer may take nothing before it is dropped. Default 30,000 ms. */
  readonly stalledMs?: number | undefined;
}

/** How long ended intents stay. */
export interface RetentionOptions {
  /** Age since its end at which an intent is removed. Null keeps all. Default 7 days. */
  readonly endedMs?: number | null | undefined;
  /** Age since its submit below which an intent with an idempotency key stays. Default 24 hours. */
  readonly idempotencyMs?: number | undefined;
}

/**
 * Tickets by which `EventSource` may observe without credentials. Off unless given. Give them to all processes,
 * to workers too: a used ticket is an intent that one of those has to end, or it stays in the store for ever.
 */
export interface TicketOptions {
  /** What tickets are signed with: the same in all processes, at least 32 characters, random. */
  readonly secret: string;
  /** How long a ticket can be used. At most 60,000. Default 30,000 ms. */
  readonly ttlMs?: number | undefined;
}

/** The options of a durable API; `Source` is the framework's request. */
export interface DurableApiOptions<Source = unknown> {
  readonly store: Store;
  /** False makes a process that submits and observes but starts no attempt. Default true. */
  readonly worker?: boolean | undefined;
  /** Most handlers that this process runs at once. Default 100. */
  readonly concurrency?: number | undefined;
  /** How long a claim holds without being renewed. Default 15,000 ms. */
  readonly leaseMs?: number | undefined;
  /** How long a handler may take to stop after a cancel. Default 5,000 ms. */
  readonly cancelGraceMs?: number | undefined;
  /** Longest sleep between two looks at a shared store. Default 5,000 ms; SQLite needs none. */
  readonly pollMs?: number | undefined;
  /**
   * How long what is due may stay with nobody who takes its operation, or version, until it is shown to wait
   * for that. Null for never; then its deadline does not end it either. Default 60,000 ms.
   */
  readonly parkAfterMs?: number | null | undefined;
  /** How long a submit may wait for the store before it is answered 503. Default 2,000 ms. */
  readonly storeTimeoutMs?: number | undefined;
  /** Names the tenant or user that a request acts for. Default: all requests are one owner's. */
  readonly identify?: ((source: Source) => string | Promise<string>) | undefined;
  /** Has the last word on who may see or cancel an intent of the right owner. Default: yes. */
  readonly authorize?:
    | ((source: Source, intent: IntentRecord) => boolean | Promise<boolean>)
    | undefined;
  /**
   * Whether the message of an error that a handler throws is shown to its caller, and what the store says
   * when it fails. Messages of `NonRetryableError`, `RetryAfterError` and errors with `expose: true` always are.
   * Default: unless `NODE_ENV` is `production`.
   */
  readonly exposeErrors?: boolean | undefined;
  readonly defaults?: OperationDefaults<Source> | undefined;
  readonly limits?: LimitOptions | undefined;
  readonly observe?: ObserveOptions | undefined;
  readonly retention?: RetentionOptions | undefined;
  readonly tickets?: TicketOptions | undefined;
  readonly webhooks?: WebhookOptions | undefined;
  readonly logger?: Logger | undefined;
  readonly clock?: Clock | undefined;
  /** Uniform in [0, 1). Default `Math.random`. */
  readonly random?: (() => number) | undefined;
}

type Resolved<T> = { readonly [K in keyof T]-?: Exclude<T[K], undefined> };

type Nested =
  | 'identify'
  | 'authorize'
  | 'defaults'
  | 'limits'
  | 'observe'
  | 'retention'
  | 'tickets'
  | 'webhooks';

/** Options with every default in place; what concerns requests is not the engine's. */
export interface ResolvedOptions extends Resolved<Omit<DurableApiOptions, Nested>> {
  readonly defaults: OperationDefaults;
  readonly limits: Resolved<LimitOptions>;
  readonly observe: Resolved<ObserveOptions>;
  readonly retention: Resolved<RetentionOptions>;
  readonly tickets: Resolved<TicketOptions> | null;
  readonly webhooks: ResolvedWebhookOptions | null;
}

/** When intents of an operation start that do not start at once. */
export type StartRule = Pick<OperationOptions, 'startAfterMs' | 'startAt'>;

/** How long the start of an intent is put off, and at most. */
export interface DebounceRule {
  readonly ms: number;
  readonly maxMs: number;
}

/** What the turns and the limits of an operation's intents go by. */
export interface LaneRule extends Pick<OperationOptions, 'key' | 'priority'> {
  readonly perKey: number | null;
  readonly rateLimit: RateLimit | null;
}

type Ruled =
  | keyof StartRule
  | 'dedupe'
  | 'debounceMs'
  | 'debounceMaxMs'
  | 'concurrency'
  | 'key'
  | 'priority'
  | 'rateLimit'
  | 'agent'
  | 'version'
  | 'runs'
  | 'schedule'
  | 'webhook';

/** The options of one operation with every default in place. */
export interface ResolvedOperationOptions extends Resolved<
  Omit<OperationOptions, 'backoff' | Ruled>
> {
  /** Undefined for none. */
  readonly version: string | undefined;
  /** The other versions whose intents it takes. */
  readonly runs: readonly (string | undefined)[];
  /** Most attempts in this process; null for what it has room for. */
  readonly perProcess: number | null;
  /** Null when its intents have no keys: they start as they come. */
  readonly lanes: LaneRule | null;
  readonly backoff: Resolved<BackoffOptions>;
  /** Null when all of them start at once. */
  readonly start: StartRule | null;
  /** Null when each submit is an intent of its own. */
  readonly dedupe: NonNullable<OperationOptions['dedupe']> | null;
  /** Null when an intent starts although others like it may follow. */
  readonly debounce: DebounceRule | null;
  /** Null when its handler does the work. */
  readonly agent: AgentTarget | null;
  readonly schedules: readonly Schedule[];
  /** Null when nobody is told of the ends of its intents, unless a submit says so. */
  readonly webhook: NonNullable<OperationOptions['webhook']> | null;
}
