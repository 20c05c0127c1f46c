import { HEADERS, type WireEvent, type WireSnapshot } from '@durable-api/protocol';
import { backoffMs, delay } from './backoff.ts';
import { checkResult, finishedResponse, readResult } from './finished.ts';
import { errorOf, type Answer } from './answer.ts';
import { request, send } from './http.ts';
import { newIdempotencyKey, quoteKey } from './idempotency-key.ts';
import { Observation } from './observe.ts';
import type { ValueSchema } from './operation-types.ts';
import { outputOf, type OutputPart } from './output.ts';
import { usage, type ResolvedClientOptions } from './options.ts';
import { isSnapshot, isSubmitted, isTicket } from './wire.ts';

/** What every call takes. */
export interface CallOptions {
  /** Ends the call: it rejects with the signal's reason. What runs on the server goes on. */
  readonly signal?: AbortSignal | undefined;
}

/** How to observe. */
export interface ObserveOptions extends CallOptions {
  /** The last seq that is known already. Default 0: from the beginning. */
  readonly after?: number | undefined;
}

/** How to do what must happen once, a retry or a signal. */
export interface OnceOptions extends CallOptions {
  /** Makes repetitions one. Default: a fresh key. */
  readonly idempotencyKey?: string | undefined;
}

/** What an {@link Operation} is made of. */
export interface OperationSetup<R> {
  readonly options: ResolvedClientOptions;
  readonly memory: { streamsBlocked: boolean };
  readonly url: string;
  readonly schema: ValueSchema<R> | undefined;
  /** The answer that ended it, if the submit was answered with that. */
  readonly ended: Answer | undefined;
}

/** One submitted operation: what happens to it, and what comes of it. Any number of handles may exist. */
export class Operation<R = unknown> {
  /** The id of its intent. */
  readonly intentId: string;
  /** Where it is on the server. Keep this to find it again: {@link DurableClient.operation}. */
  readonly url: string;
  readonly #setup: OperationSetup<R>;

  constructor(setup: OperationSetup<R>) {
    this.#setup = setup;
    this.url = setup.url;
    this.intentId = setup.url.slice(setup.url.lastIndexOf('/') + 1);
  }

  /**
   * The events in order, each once, until the terminal one. Reconnects for as long as it takes, over
   * server restarts and lost connections; polls where streams are blocked. Nothing is sent before the
   * iteration begins.
   * @throws DurableClientError when the server refuses, for instance `intent_not_found`.
   */
  observe({ after = 0, signal }: ObserveOptions = {}): AsyncGenerator<WireEvent, void, undefined> {
    if (!Number.isSafeInteger(after) || after < 0) {
      throw usage(`after is the seq of the last known event, a whole number, not ${after}.`);
    }
    const { options, memory } = this.#setup;
    return new Observation(options, { url: this.url, after, signal, memory }).events();
  }

  /**
   * What the handler puts out, as it does, until the end. Parts before one with `isReset` are void.
   * @throws as {@link Operation.observe}; how it ended is said by {@link Operation.result}.
   */
  async *output(options: ObserveOptions = {}): AsyncGenerator<OutputPart, void, undefined> {
    for await (const event of this.observe(options)) {
      const part = outputOf(event);
      if (part !== null) yield part;
    }
  }

  /**
   * Waits for the end and resolves to what the handler answered: JSON as its value, text as a string,
   * anything else as bytes. A response with an error status of the handler's own is a result, too.
   * @throws OperationFailedError, OperationCanceledError, OperationTimedOutError by how else it ended;
   * DurableClientError `result_invalid` if a schema was given and does not accept the result.
   */
  async result(options: CallOptions = {}): Promise<R> {
    const value = await readResult(await this.response(options));
    const { schema } = this.#setup;
    // Without a schema the type is what the caller says about the server; nothing here can check it.
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion
    return schema === undefined ? (value as R) : checkResult(value, schema);
  }

  /** Waits for the end and resolves to the handler's whole response. @throws as {@link Operation.result}. */
  async response({ signal }: CallOptions = {}): Promise<Response> {
    const { options, ended } = this.#setup;
    for (let [answer, round] = [ended, 0]; ; [answer, round] = [undefined, round + 1]) {
      // Who says that it has not ended, and that nothing will follow, is not asked in a hurry.
      if (round > 1) await delay(backoffMs(round, options.backoff), signal);
      const url = `${this.url}/result`;
      const toSend = { method: 'GET', url, signal, mayBeAnything: true } as const;
      const response = finishedResponse(answer ?? (await send(options, toSend)));
      if (response !== null) return response;
      const { seq } = await this.get({ signal });
      const events = this.observe({ after: seq, signal });
      while ((await events.next()).done !== true);
    }
  }

  /** Its state now. */
  get({ signal }: CallOptions = {}): Promise<WireSnapshot> {
    const { options } = this.#setup;
    return request(options, { method: 'GET', url: this.url, signal }, isSnapshot);
  }

  /**
   * Asks it to stop, and resolves to its state: CANCELED, or still winding down.
   * @throws DurableClientError `intent_terminal` when it has ended otherwise.
   */
  cancel({ signal }: CallOptions = {}): Promise<WireSnapshot> {
    const { options } = this.#setup;
    const url = `${this.url}/cancel`;
    return request(options, { method: 'POST', url, signal }, isSnapshot);
  }

  /**
   * Does it again, with the same input, after it FAILED, TIMED_OUT or was CANCELED. Resolves to the handle
   * of the new operation; this one stays as it ended.
   * @throws DurableClientError `intent_not_retryable` when it COMPLETED or has not ended.
   */
  async retry(options: OnceOptions = {}): Promise<Operation<R>> {
    const { idempotencyKey = newIdempotencyKey(), signal } = options;
    const toSend = {
      method: 'POST',
      url: `${this.url}/retry`,
      headers: {
        [HEADERS.accept]: 'application/json',
        [HEADERS.idempotencyKey]: quoteKey(idempotencyKey),
      },
      signal,
    } as const;
    const { intent_id: id } = await request(this.#setup.options, toSend, isSubmitted);
    const url = this.url.slice(0, -this.intentId.length) + id;
    return new Operation({ ...this.#setup, url, ended: undefined });
  }

  /**
   * A URL of the event stream that the browser's own `EventSource` can open, once and soon, where the
   * server has tickets enabled. When it is closed with an error, ask for another one.
   */
  async eventSourceUrl({ signal }: CallOptions = {}): Promise<string> {
    const toSend = { method: 'POST', url: `${this.url}/ticket`, signal } as const;
    const { ticket } = await request(this.#setup.options, toSend, isTicket);
    return `${this.url}/events?ticket=${encodeURIComponent(ticket)}`;
  }

  /** Hands `payload` to a handler that waits for the signal `name`, or will. */
  async signal(name: string, payload?: unknown, options: OnceOptions = {}): Promise<void> {
    const { idempotencyKey = newIdempotencyKey(), signal } = options;
    const answer = await send(this.#setup.options, {
      method: 'POST',
      url: `${this.url}/signals/${encodeURIComponent(name)}`,
      headers: {
        [HEADERS.contentType]: 'application/json',
        [HEADERS.idempotencyKey]: quoteKey(idempotencyKey),
      },
      body: JSON.stringify(payload ?? null),
      signal,
      mayBeAnything: true,
    });
    if (answer.status >= 400) throw errorOf(answer);
  }
}
