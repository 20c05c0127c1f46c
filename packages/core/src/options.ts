import type { Clock } from './clock.ts';
import type { Logger } from './logger.ts';
import type { IntentRecord } from './state/intent.ts';
import type { Store } from './store/store.ts';

/** How long to wait before an attempt that follows a failed one: exponential, full jitter. */
export interface BackoffOptions {
  /** Upper bound of the first wait. Default 1,000 ms. */
  readonly baseMs?: number | undefined;
  /** What each further bound is multiplied by. Default 2. */
  readonly factor?: number | undefined;
  /** Upper bound of any wait. Default 60,000 ms. */
  readonly maxMs?: number | undefined;
}

/** What can be set for one operation, and in `defaults` for all. */
export interface OperationOptions {
  /** How many attempts may follow a failed one. Default 3. */
  readonly retries?: number | undefined;
  /** Longest duration of one attempt; then it has failed. Default 15 minutes. */
  readonly timeoutMs?: number | undefined;
  /** Longest life of an intent; then it is TIMED_OUT. Null for none. Default 24 hours. */
  readonly deadlineMs?: number | null | undefined;
  /** How often a process may vanish under an intent before it FAILED as `crashed`. Default 5. */
  readonly maxLostLeases?: number | undefined;
  readonly backoff?: BackoffOptions | undefined;
  /** Whether a submit must bear an `Idempotency-Key`. Default false. */
  readonly requireIdempotencyKey?: boolean | undefined;
}

/** What is refused, bounded or dropped. All limits are on by default. */
export interface LimitOptions {
  /** Largest request body as JSON. Default 262,144 bytes. */
  readonly maxPayloadBytes?: number | undefined;
  /** Deepest nesting of a request body. Default 64. */
  readonly maxPayloadDepth?: number | undefined;
  /** Largest body of a handler's response. Default 1,048,576 bytes. */
  readonly maxResultBytes?: number | undefined;
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

/** Tickets by which `EventSource` may observe without credentials. Off unless given. */
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
  /** Most attempts that this process has under way at once. Default 100. */
  readonly concurrency?: number | undefined;
  /** How long a claim holds without being renewed. Default 15,000 ms. */
  readonly leaseMs?: number | undefined;
  /** How long a handler may take to stop after a cancel. Default 5,000 ms. */
  readonly cancelGraceMs?: number | undefined;
  /** Longest sleep between two looks at a shared store. Default 5,000 ms; SQLite needs none. */
  readonly pollMs?: number | undefined;
  /** How long a submit may wait for the store before it is answered 503. Default 2,000 ms. */
  readonly storeTimeoutMs?: number | undefined;
  /** Names the tenant or user that a request acts for. Default: all requests are one owner's. */
  readonly identify?: ((source: Source) => string | Promise<string>) | undefined;
  /** Has the last word on who may see or cancel an intent of the right owner. Default: yes. */
  readonly authorize?:
    | ((source: Source, intent: IntentRecord) => boolean | Promise<boolean>)
    | undefined;
  /**
   * Whether the message of an error that a handler throws is shown to its caller. Messages of
   * `NonRetryableError`, `RetryAfterError` and errors with `expose: true` always are.
   * Default: unless `NODE_ENV` is `production`.
   */
  readonly exposeErrors?: boolean | undefined;
  readonly defaults?: OperationOptions | undefined;
  readonly limits?: LimitOptions | undefined;
  readonly observe?: ObserveOptions | undefined;
  readonly retention?: RetentionOptions | undefined;
  readonly tickets?: TicketOptions | undefined;
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
  | 'tickets';

/** Options with every default in place; what concerns requests is not the engine's. */
export interface ResolvedOptions extends Resolved<Omit<DurableApiOptions, Nested>> {
  readonly defaults: OperationOptions;
  readonly limits: Resolved<LimitOptions>;
  readonly observe: Resolved<ObserveOptions>;
  readonly retention: Resolved<RetentionOptions>;
  readonly tickets: Resolved<TicketOptions> | null;
}

/** The options of one operation with every default in place. */
export interface ResolvedOperationOptions extends Resolved<Omit<OperationOptions, 'backoff'>> {
  readonly backoff: Resolved<BackoffOptions>;
}
