import { isTerminal, type Status, type WireEvent } from '@durable-api/protocol';
import type { Engine } from '../engine/engine.ts';
import { withTimeout } from '../engine/with-timeout.ts';
import { DurableError } from '../errors.ts';
import type { ResolvedOptions } from '../options.ts';
import { checkOwner } from '../owner.ts';
import type { IntentRecord, StoredResponse } from '../state/intent.ts';
import type { Found, ListRequest } from '../store/store.ts';
import { checkPayload, checkPayloadSize } from '../http/payload.ts';
import { checkSignalName } from '../http/routes.ts';
import { toSignal, undelivered } from './signal.ts';
import { listIntents } from './list-intents.ts';
import type { Webhooks } from '../webhooks/webhooks.ts';
import { observeIntent } from './observe-intent.ts';
import { retryIntent } from './retry-intent.ts';
import { retryMany, type RetriedMany, type RetryManyOptions } from './retry-many.ts';
import {
  submitIntent,
  type IntentInput,
  type SubmitIntentOptions,
  type SubmittedIntent,
} from './submit-intent.ts';

/** Whose intent is meant. */
export interface IntentOwner {
  /** Only an intent of this owner is found. Default: anybody's. */
  readonly owner?: string | undefined;
}

/** Which intents to list; newest first. */
export interface ListIntentsOptions extends IntentOwner {
  readonly operation?: string | undefined;
  readonly statuses?: readonly Status[] | undefined;
  /** Only intents older than this one: the last id of the page before. */
  readonly before?: string | undefined;
  /** At most so many. Default 100. */
  readonly limit?: number | undefined;
}

/** How to cancel. */
export interface CancelIntentOptions extends IntentOwner {
  /** Who wants it, for the event. */
  readonly actor?: string | undefined;
  /** Why, for the event. */
  readonly reason?: string | undefined;
}

/** How to retry. */
export interface RetryIntentOptions extends IntentOwner {
  /** Names the retry, so that repeating it gives the same intent. */
  readonly idempotencyKey?: string | undefined;
}

/** How to send a signal. */
export interface SignalIntentOptions extends IntentOwner {
  /** Names the signal, so that sending it again changes nothing. */
  readonly idempotencyKey?: string | undefined;
  /** Who sends it, for the event. */
  readonly actor?: string | undefined;
}

/** From where to observe. */
export interface ObserveIntentOptions extends IntentOwner {
  /** The last seq that is known already. Default 0: from the first event on. */
  readonly after?: number | undefined;
  /** Ends the observation when aborted; the iteration rejects with its reason. */
  readonly signal?: AbortSignal | undefined;
}

/**
 * The intents, for code in this process. It is trusted: `identify` and `authorize` are not asked, and
 * without an `owner` any intent is found. Everything rejects with a `DurableError`.
 */
export class Intents {
  readonly #engine: Engine;
  readonly #options: ResolvedOptions;
  readonly #webhooks: Webhooks | null;

  constructor(engine: Engine, options: ResolvedOptions, webhooks: Webhooks | null) {
    this.#engine = engine;
    this.#options = options;
    this.#webhooks = webhooks;
  }

  /**
   * Stores an intent of the operation of this name; resolves after the store's commit, or with a
   * `transaction` when the intent is a part of that.
   * @throws DurableError `handler_unavailable` for an operation that is not declared in this process,
   * `idempotency_key_reused`, `owner_forbidden`, `start_invalid`, `webhook_invalid`, or the code of what is wrong with the payload.
   */
  async submit(
    operationName: string,
    input: IntentInput = {},
    options: SubmitIntentOptions = {},
  ): Promise<SubmittedIntent> {
    const { version } = options;
    const operation = this.#engine.operations.find(
      operationName,
      version === undefined ? undefined : String(version),
    );
    const { limits } = this.#options;
    const setup = { limits, webhooks: this.#webhooks };
    return submitIntent(this.#engine, operation, input, options, setup);
  }

  /** Whether an operation of this name is declared in this process. */
  has(operationName: string): boolean {
    return this.#engine.operations.get(operationName) !== undefined;
  }

  /** The intent as it is now; null when there is none of this owner's. */
  async get(intentId: string, { owner }: IntentOwner = {}): Promise<IntentRecord | null> {
    return (await this.#find(intentId, owner))?.record ?? null;
  }

  /** What the handler answered; null unless the intent is COMPLETED. */
  async result(intentId: string, { owner }: IntentOwner = {}): Promise<StoredResponse | null> {
    return (await this.#find(intentId, owner, 'result'))?.result ?? null;
  }

  /** A page of intents, newest first. */
  async list({ limit = 100, ...which }: ListIntentsOptions = {}): Promise<readonly IntentRecord[]> {
    const { owner, operation, statuses, before } = which;
    const { store, storeTimeoutMs, clock } = this.#options;
    if (owner !== undefined) checkOwner(owner);
    await this.#engine.ready();
    const listed = listIntents(store, {
      limit,
      ...(owner !== undefined && { owner }),
      ...(operation !== undefined && { operation }),
      ...(statuses !== undefined && { statuses }),
      ...(before !== undefined && { before }),
    });
    return withTimeout(listed, storeTimeoutMs, clock);
  }

  /**
   * Cancels an intent: one that no handler works on is CANCELED at once, else its handler's signal is
   * aborted first. Canceling twice changes nothing.
   * @throws DurableError `intent_not_found`, or `intent_terminal` when it ended otherwise.
   */
  async cancel(
    intentId: string,
    { owner, actor, reason }: CancelIntentOptions = {},
  ): Promise<IntentRecord> {
    const found = await this.#find(intentId, owner, 'input');
    if (found === undefined) throw notFound(intentId);
    if (isTerminal(found.record.status)) return canceled(found.record);
    const outcome = await this.#engine.cancel(found, {
      ...(actor !== undefined && { actor }),
      ...(reason !== undefined && { reason }),
    });
    if (!('record' in outcome)) throw notFound(intentId);
    return isTerminal(outcome.record.status) ? canceled(outcome.record) : outcome.record;
  }

  /**
   * Does again what FAILED, TIMED_OUT or was CANCELED: a new intent with the same input and owner, whose
   * `retriedFrom` is the old one. Ends never change, so the old one stays as it is. The delivery of a webhook,
   * an intent of `durable.webhook`, is done again also when it COMPLETED.
   * @throws DurableError `intent_not_found`, `intent_not_retryable` for one that COMPLETED or has not
   * ended, `handler_unavailable` when its operation is not declared in this process.
   */
  async retry(
    intentId: string,
    { owner, idempotencyKey }: RetryIntentOptions = {},
  ): Promise<SubmittedIntent> {
    const found = await this.#find(intentId, owner, 'input');
    if (found === undefined) throw notFound(intentId);
    const operation = this.#engine.operations.findFor(found.record);
    return retryIntent(this.#engine, operation, found, idempotencyKey ?? null);
  }

  /**
   * Retries what ended badly and fits, in bounded calls: give each the `next` of the one before. However
   * often an intent is met, it is retried once.
   * @throws DurableError `options_invalid`, or `handler_unavailable` when an operation is not declared in
   * this process; what was retried until then is, and calling again goes on.
   */
  async retryMany(options: RetryManyOptions = {}): Promise<RetriedMany> {
    const { store, storeTimeoutMs, clock } = this.#options;
    if (options.owner !== undefined) checkOwner(options.owner);
    await this.#engine.ready();
    const list = (request: ListRequest): ReturnType<typeof store.list> =>
      withTimeout(listIntents(store, request), storeTimeoutMs, clock);
    return retryMany(this.#engine, list, options);
  }

  /**
   * Hands a JSON value to the handler's `waitFor(name)`, also before it waits. Resolves to the seq of the
   * signal's event.
   * @throws DurableError `intent_not_found`, `intent_terminal`, `idempotency_key_reused`, `signals_full`,
   * `signal_name_invalid`, or the code of what is wrong with the payload.
   */
  async signal(
    intentId: string,
    name: string,
    payload: unknown = null,
    { owner, idempotencyKey, actor }: SignalIntentOptions = {},
  ): Promise<number> {
    checkSignalName(name);
    checkPayload(payload, this.#options.limits);
    checkPayloadSize(JSON.stringify(payload), this.#options.limits);
    const record = (await this.#find(intentId, owner))?.record;
    if (record === undefined) throw notFound(intentId);
    const key = idempotencyKey ?? null;
    const outcome = await this.#engine.signal(intentId, toSignal(name, payload, { key, actor }));
    if ('seq' in outcome) return outcome.seq;
    throw undelivered(outcome, name, { intentId });
  }

  /**
   * The events of an intent as they happen, the same as over SSE, until its last.
   * @throws DurableError `intent_not_found`, at the first step of the iteration; `stopping` when the
   * durable API stops before the intent has ended.
   */
  async *observe(
    intentId: string,
    { owner, after = 0, signal }: ObserveIntentOptions = {},
  ): AsyncGenerator<WireEvent, void, undefined> {
    const record = (await this.#find(intentId, owner))?.record;
    if (record === undefined) throw notFound(intentId);
    const lookMs = this.#options.observe.heartbeatMs;
    yield* observeIntent(this.#engine, { record, after, signal, lookMs });
  }

  async #find(
    intentId: string,
    owner: string | undefined,
    include?: 'input' | 'result',
  ): Promise<Found | undefined> {
    const found = await this.#engine.find(intentId, include);
    return owner === undefined || found?.record.owner === owner ? found : undefined;
  }
}

function canceled(record: IntentRecord): IntentRecord {
  if (record.status === 'CANCELED') return record;
  const message = `The intent ended as ${record.status}; nothing is left to cancel.`;
  throw new DurableError('intent_terminal', message, { intentId: record.id });
}

function notFound(intentId: string): DurableError {
  const message = `There is no intent ${intentId} of this owner. It may be older than is kept.`;
  return new DurableError('intent_not_found', message);
}
