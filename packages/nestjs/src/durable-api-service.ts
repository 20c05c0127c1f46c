import type {
  CancelIntentOptions,
  IntentOwner,
  IntentRecord,
  Intents,
  Ledger,
  ListIntentsOptions,
  SignalIntentOptions,
  ObserveIntentOptions,
  RetriedMany,
  RetryIntentOptions,
  RetryManyOptions,
  StopOptions,
  StoredResponse,
  SubmitIntentOptions,
  SubmittedIntent,
} from '@durable-api/core';
import type { WireEvent } from '@durable-api/protocol';
import { Observable } from 'rxjs';
import type { DurableRuntime } from './durable-runtime.ts';

/** What a submit from code gives a durable method, as a request would. Pipes run on it at the attempt. */
export interface MethodInput {
  readonly body?: unknown;
  readonly params?: Readonly<Record<string, string>> | undefined;
  readonly query?: Readonly<Record<string, unknown>> | undefined;
  /** By names in lower case. */
  readonly headers?: Readonly<Record<string, string>> | undefined;
  readonly ip?: string | undefined;
  /** What `capture` would have stored of a request. */
  readonly captured?: Readonly<Record<string, unknown>> | undefined;
}

/**
 * Submits, looks, lists, cancels and observes from code. It is trusted: no guard, `identify` or
 * `authorize` is asked, and without an `owner` any intent is found. Rejections are `DurableError`s.
 */
export class DurableApiService {
  readonly #runtime: DurableRuntime;

  constructor(runtime: DurableRuntime) {
    this.#runtime = runtime;
  }

  /** The same for any operation, in the form that core has. */
  get intents(): Intents {
    return this.#runtime.api.intents;
  }

  /** For packages that build on the durable API, such as the gateway. */
  get ledger(): Ledger {
    return this.#runtime.api.ledger;
  }

  /**
   * Stores an intent of the operation of this name, `Controller.method` unless `@Durable` says another.
   * @throws DurableError `handler_unavailable`, `idempotency_key_reused`, or what is wrong with the input.
   */
  submit(
    operation: string,
    input: MethodInput = {},
    options: SubmitIntentOptions = {},
  ): Promise<SubmittedIntent> {
    const { body, captured = {}, ...parts } = input;
    const request = Object.fromEntries(
      Object.entries(parts).filter(([, value]) => value !== undefined),
    );
    const rest = { request, captured, platform: this.#runtime.platformType };
    return this.#runtime.api.intents.submit(operation, { body, rest }, options);
  }

  /** The intent as it is now; null when there is none of this owner's. */
  get(intentId: string, options?: IntentOwner): Promise<IntentRecord | null> {
    return this.#runtime.api.intents.get(intentId, options);
  }

  /** What the method answered; null unless the intent is COMPLETED. */
  result(intentId: string, options?: IntentOwner): Promise<StoredResponse | null> {
    return this.#runtime.api.intents.result(intentId, options);
  }

  /** A page of intents, newest first. */
  list(options?: ListIntentsOptions): Promise<readonly IntentRecord[]> {
    return this.#runtime.api.intents.list(options);
  }

  /**
   * Cancels an intent; twice changes nothing.
   * @throws DurableError `intent_not_found`, or `intent_terminal` when it ended otherwise.
   */
  cancel(intentId: string, options?: CancelIntentOptions): Promise<IntentRecord> {
    return this.#runtime.api.intents.cancel(intentId, options);
  }

  /**
   * Does again what FAILED, TIMED_OUT or was CANCELED: a new intent, whose `retriedFrom` is the old one.
   * @throws DurableError `intent_not_found`, or `intent_not_retryable`.
   */
  retry(intentId: string, options?: RetryIntentOptions): Promise<SubmittedIntent> {
    return this.#runtime.api.intents.retry(intentId, options);
  }

  /** Retries what ended badly and fits, each once, in bounded calls: each takes the `next` of the one before. */
  retryMany(options?: RetryManyOptions): Promise<RetriedMany> {
    return this.#runtime.api.intents.retryMany(options);
  }

  /**
   * Hands a JSON value to the method's `waitFor(name)`, also before it waits; resolves to the seq of its event.
   * @throws DurableError `intent_not_found`, `intent_terminal`, `idempotency_key_reused`, `signals_full`,
   * `signal_name_invalid`, or the code of what is wrong with the payload.
   */
  signal(
    intentId: string,
    name: string,
    payload?: unknown,
    options?: SignalIntentOptions,
  ): Promise<number> {
    return this.#runtime.api.intents.signal(intentId, name, payload, options);
  }

  /** The events of an intent as they happen, the same as over SSE, until its last. */
  observe(
    intentId: string,
    options?: ObserveIntentOptions,
  ): AsyncGenerator<WireEvent, void, undefined> {
    return this.#runtime.api.intents.observe(intentId, options);
  }

  /** {@link observe} as an Observable; it begins anew for each who subscribes, and ends when they leave. */
  observe$(
    intentId: string,
    options: Omit<ObserveIntentOptions, 'signal'> = {},
  ): Observable<WireEvent> {
    return new Observable((subscriber) => {
      const leave = new AbortController();
      const follow = async (): Promise<void> => {
        const events = this.observe(intentId, { ...options, signal: leave.signal });
        for await (const event of events) subscriber.next(event);
      };
      follow().then(
        () => subscriber.complete(),
        (error: unknown) => subscriber.error(error),
      );
      return () => leave.abort();
    });
  }

  /** Resolves when the store is open; rejects with the reason why it is not. */
  ready(): Promise<void> {
    return this.#runtime.api.ready();
  }

  /** Takes no new work, ends streams, lets attempts end, and closes the store. `app.close()` does it. */
  stop({ graceMs }: StopOptions = {}): Promise<void> {
    return this.#runtime.stop(graceMs);
  }
}
