import type { Progress, WaitingReason } from '@durable-api/protocol';
import type { Start, StartOptions } from '../handler/child.ts';
import type { Logger } from '../logger.ts';
import type { ResolvedOperationOptions } from '../options.ts';
import type { StoredResponse } from '../state/intent.ts';

/** What one attempt knows and may do: the durable context. */
export interface AttemptContext {
  readonly intentId: string;
  readonly operation: string;
  /** The version that the intent was submitted to, as text; undefined for none. */
  readonly version: string | undefined;
  readonly owner: string;
  /** The ordinal of this attempt, from 1. Attempts that a crash cut short count too. */
  readonly attempt: number;
  /**
   * Aborted when the attempt must stop: its timeout or the intent's deadline passed, a cancel was
   * requested, the lease was lost, or the process drains. `signal.reason` is an `AttemptAborted`.
   */
  readonly signal: AbortSignal;
  /**
   * Reports how far the handler has come: a fraction from 0 to 1, or an object. Returns at once; what
   * follows within 100 ms replaces it.
   * @throws RangeError when a number is not between 0 and 1, or the report is larger than an event may be.
   */
  readonly progress: (progress: number | Progress) => void;
  /**
   * Runs `run` once in the life of the intent and remembers the JSON value that it resolves to: a later
   * attempt is given the value and does not run it again. Steps may run side by side. What a rejected
   * step did is not remembered.
   * @throws HandlerFault `step_duplicate` for a second step of this name, `step_nested` for a step in a
   * step, `step_not_json` or `step_too_large` for a value that cannot be remembered, `step_invalid` for a
   * name or options that are none. None of them is retried.
   */
  readonly step: <T>(
    name: string,
    run: (step: StepContext) => T | Promise<T>,
    options?: StepOptions,
  ) => Promise<T>;
  /**
   * Waits for a duration in ms, or until an instant. Beyond a second the handler gives up its place and its
   * process: the intent is WAITING, across restarts and deploys, and then the handler is run again from its
   * beginning, with its steps remembered, as the next attempt. A sleep that is over takes no time then.
   * What else is under way when it begins must be a step, or is cut off and begun again.
   *
   * Sleeps are told apart by their order. Where that may differ between attempts, give them names.
   * @throws HandlerFault `sleep_invalid`; `step_nested` within a step.
   */
  readonly sleep: (duration: number | Date, options?: SleepOptions) => Promise<void>;
  /**
   * Waits for a signal of this name, as `POST P/{id}/signals/{name}` gives it, and resolves to its payload.
   * Like {@link sleep} it gives up the handler's place. Signals are kept: one that came before is taken at
   * once, each is taken once, and the second `waitFor` of a name gets the second signal.
   * @throws WaitTimeoutError after `timeoutMs`; HandlerFault `wait_invalid`; `step_nested` within a step.
   */
  readonly waitFor: <T = unknown>(name: string, options?: WaitOptions<T>) => Promise<T>;
  /**
   * Starts an intent of another operation, with what its handler shall see as the body of its request, and
   * resolves once it is stored. It is a child of this intent: of its owner and part of its trace, and
   * canceled when this intent FAILED, TIMED_OUT or was CANCELED, though not when it COMPLETED. A later
   * attempt finds its children again and starts none twice; like sleeps they are told apart by their order,
   * or by `{ name }`. `operation` is its name, or what it was declared with.
   * @throws HandlerFault `start_invalid` when there is no such operation here or the input cannot be stored,
   * `child_changed` when an earlier attempt had another input here; `step_nested` within a step.
   */
  readonly start: Start;
  /**
   * Puts out a text or bytes, for observers to see at once: as `intent.output`, and at `GET P/{id}/output`.
   * What an attempt puts out counts when it completes; when it fails, observers are told that it is void.
   * Within a step it is put out again by an attempt that does not run the step. Resolves when more may come,
   * which is at once unless the store is far behind.
   * @throws HandlerFault `output_invalid`, `output_too_large` or `too_many_events`.
   */
  readonly emit: (chunk: string | Uint8Array) => Promise<void>;
  /** The same in each attempt, for calls to third parties that must not do a thing twice. A step has its own. */
  readonly idempotencyKey: string;
  /** The trace that the submit was a part of, as W3C `traceparent`; undefined when it had none. */
  readonly traceparent: string | undefined;
  /**
   * The instant of the tick that a `schedule` has started the intent for, also in a later attempt and in a
   * retry of it; undefined when it was no schedule.
   */
  readonly scheduledFor: Date | undefined;
  /** The durable API's logger, with intent, operation and attempt in what it logs. */
  readonly log: Logger;
}

/** How to sleep. */
export interface SleepOptions {
  /** Tells this sleep apart from others of the handler. Default: their order does. */
  readonly name?: string | undefined;
}

/** How to wait for a signal. */
export interface WaitOptions<T = unknown> {
  /** Longest wait; then `waitFor` rejects. Default: until the intent's deadline. */
  readonly timeoutMs?: number | undefined;
  /** Whom the intent is shown to wait for. Default `WAITING_FOR_HUMAN` with a `task`, else `WAITING_FOR_TOOL`. */
  readonly reason?: WaitingReason | undefined;
  /**
   * A Standard Schema (of Zod, Valibot, ArkType, …) for the payload. What it refuses is shown as refused and
   * waited for again.
   */
  readonly schema?: SignalSchema<T> | undefined;
  /** What a person is asked to do; a JSON object that observers are shown. */
  readonly task?: Readonly<Record<string, unknown>> | undefined;
  /** How often observers are reminded, by `intent.reminder`. At least 1,000. Default: never. */
  readonly remindEveryMs?: number | undefined;
  /** After how long somebody else is to be asked, by `intent.escalated`. Default: never. */
  readonly escalateAfterMs?: number | undefined;
}

/** The part of the Standard Schema interface, version 1, that is needed to check a payload. */
export interface SignalSchema<T> {
  readonly '~standard': {
    readonly version: 1;
    readonly vendor: string;
    readonly validate: (value: unknown) => SchemaResult<T> | Promise<SchemaResult<T>>;
  };
}

type SchemaResult<T> =
  | { readonly value: T; readonly issues?: undefined }
  | { readonly issues: readonly { readonly message: string }[] };

/** What one run of a step knows. */
export interface StepContext {
  /** Aborted with the attempt, and when the step's own timeout has passed. */
  readonly signal: AbortSignal;
  /** The ordinal of this run within the attempt, from 1. */
  readonly attempt: number;
  /** The same each time that this step runs, and another for each step and intent. */
  readonly idempotencyKey: string;
}

/** How a step runs. */
export interface StepOptions {
  /**
   * How many runs may follow a failed one in the same attempt, with the operation's backoff between
   * them. Default 0: the attempt fails, and the next attempt runs the step again.
   */
  readonly retries?: number | undefined;
  /** Longest duration of one run. Default: the attempt's own timeout is the only one. */
  readonly timeoutMs?: number | undefined;
}

/** An operation as an adapter declares it. */
export interface OperationDefinition {
  /** Stable across deploys: stored intents are run by whoever declares this name, and their version. */
  readonly name: string;
  /**
   * Runs the handler on a stored input and resolves to its response. A rejection or a 5xx is a failed
   * attempt; anything else is the result.
   */
  run(input: unknown, context: AttemptContext): Promise<StoredResponse>;
  /**
   * What is stored beside the body for an intent that code starts, in place of what a request would have
   * brought. Default: nothing.
   */
  compose?(parts: RequestParts): Readonly<Record<string, unknown>>;
}

/** What code gives of a request beside its body. */
export type RequestParts = Pick<StartOptions, 'params' | 'query' | 'headers' | 'captured'>;

/** A declared operation. */
export interface Operation extends Required<OperationDefinition> {
  readonly options: ResolvedOperationOptions;
}

/** Why an attempt must stop. */
export type AbortCause =
  | 'timeout'
  | 'deadline'
  | 'canceled'
  | 'lease_lost'
  | 'draining'
  /** The handler waits for longer than a moment, and will be run again. */
  | 'suspended';

/** The reason of an aborted {@link AttemptContext.signal}. */
export class AttemptAborted extends Error {
  override readonly name = 'AttemptAborted';
  override readonly cause: AbortCause;

  constructor(cause: AbortCause) {
    super(`The attempt must stop: ${cause}.`);
    this.cause = cause;
  }
}
