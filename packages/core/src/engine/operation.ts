import type { Progress } from '@durable-api/protocol';
import type { ResolvedOperationOptions } from '../options.ts';
import type { StoredResponse } from '../state/intent.ts';

/** What one attempt knows and may do: the durable context. */
export interface AttemptContext {
  readonly intentId: string;
  readonly operation: string;
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
}

/** An operation as an adapter declares it. */
export interface OperationDefinition {
  /** Stable across deploys: stored intents are run by whoever declares this name. */
  readonly name: string;
  /**
   * Runs the handler on a stored input and resolves to its response. A rejection or a 5xx is a failed
   * attempt; anything else is the result.
   */
  run(input: unknown, context: AttemptContext): Promise<StoredResponse>;
}

/** A declared operation. */
export interface Operation extends OperationDefinition {
  readonly options: ResolvedOperationOptions;
}

/** Why an attempt must stop. */
export type AbortCause = 'timeout' | 'deadline' | 'canceled' | 'lease_lost' | 'draining';

/** The reason of an aborted {@link AttemptContext.signal}. */
export class AttemptAborted extends Error {
  override readonly name = 'AttemptAborted';
  override readonly cause: AbortCause;

  constructor(cause: AbortCause) {
    super(`The attempt must stop: ${cause}.`);
    this.cause = cause;
  }
}
