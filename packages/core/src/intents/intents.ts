import { isTerminal, type Status, type WireEvent } from '@durable-api/protocol';
import type { Engine } from '../engine/engine.ts';
import { withTimeout } from '../engine/with-timeout.ts';
import { DurableError } from '../errors.ts';
import { hashParts } from '../http/fingerprint.ts';
import { encodeInput } from '../http/input.ts';
import type { ResolvedOptions } from '../options.ts';
import { checkOwner } from '../owner.ts';
import type { IntentRecord, StoredResponse } from '../state/intent.ts';
import type { Found } from '../store/store.ts';
import { observeIntent } from './observe-intent.ts';

/** What an operation is given by a submit from code, as a request would give it. */
export interface IntentInput {
  /** The parsed body: a JSON value, or bytes. */
  readonly body?: unknown;
  /** What the adapter keeps of a request beside its body; a JSON object. Its form is the adapter's. */
  readonly rest?: Readonly<Record<string, unknown>> | undefined;
}

/** How to submit. */
export interface SubmitIntentOptions {
  /** Whose intent it is: what `identify` returns for its owner's requests. Default `''`. */
  readonly owner?: string | undefined;
  /** Names the submit, so that repeating it gives the same intent. */
  readonly idempotencyKey?: string | undefined;
  /**
   * A transaction of your own that the submit shall be a part of: the intent is there when it commits,
   * and never was when it rolls back. The store says what it takes, for instance a client of `pg`.
   */
  readonly transaction?: unknown;
}

/** A stored submit. */
export interface SubmittedIntent {
  readonly record: IntentRecord;
  /** True when an earlier submit had the idempotency key: `record` is what that one stored. */
  readonly isReplayed: boolean;
}

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

  constructor(engine: Engine, options: ResolvedOptions) {
    this.#engine = engine;
    this.#options = options;
  }

  /**
   * Stores an intent of the operation of this name; resolves after the store's commit, or with a
   * `transaction` when the intent is a part of that.
   * @throws DurableError `handler_unavailable` for an operation that is not declared in this process,
   * `idempotency_key_reused`, `owner_forbidden`, or the code of what is wrong with the payload.
   */
  async submit(
    operationName: string,
    input: IntentInput = {},
    { owner = '', idempotencyKey, transaction }: SubmitIntentOptions = {},
  ): Promise<SubmittedIntent> {
    const operation = this.#engine.operation(operationName);
    checkOwner(owner);
    const { body, rest = {} } = input;
    const identity = { method: '', url: '' };
    const encoded = encodeInput({ identity, body, rest }, this.#options.limits);
    const idempotency =
      idempotencyKey === undefined
        ? null
        : {
            key: hashParts([owner, operation.name, idempotencyKey]),
            fingerprint: hashParts([encoded.json]),
          };
    const submitting = this.#engine.prepare({
      operation,
      owner,
      idempotency,
      input: encoded.json,
      transaction,
    });
    const stored = await submitting.store();
    if (stored.outcome === 'created') return { record: submitting.record, isReplayed: false };
    if (stored.record.idempotency?.fingerprint !== idempotency?.fingerprint) throw reused();
    return { record: stored.record, isReplayed: true };
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
    const listed = store.list({
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
    const record = (await this.#find(intentId, owner))?.record;
    if (record === undefined) throw notFound(intentId);
    if (isTerminal(record.status)) return canceled(record);
    const outcome = await this.#engine.command(record, {
      type: 'requestCancel',
      ...(actor !== undefined && { actor }),
      ...(reason !== undefined && { reason }),
    });
    if (!('record' in outcome)) throw notFound(intentId);
    return isTerminal(outcome.record.status) ? canceled(outcome.record) : outcome.record;
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
    include?: 'result',
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

function reused(): DurableError {
  const message =
    'This idempotency key belongs to a submit with another input. Use a fresh key for a new submit.';
  return new DurableError('idempotency_key_reused', message);
}
