import { isTerminal, type WireEvent } from '@durable-api/protocol';
import { backoffMs, delay } from './backoff.ts';
import { DurableClientError } from './errors.ts';
import { EventPoll } from './event-poll.ts';
import { streamEvents, type StreamState } from './event-stream.ts';
import { invalid } from './http.ts';
import type { ResolvedClientOptions } from './options.ts';
import { StreamHealth } from './stream-health.ts';

/** The shortest pause between two polls, so that quick progress is read in batches. */
const POLL_PAUSE_MS = 200;

/** What is observed. */
export interface ObserveRequest {
  /** The intent's own URL. */
  readonly url: string;
  readonly after: number;
  readonly signal: AbortSignal | undefined;
  /** What all observers of a client have learnt about streams. */
  readonly memory: { streamsBlocked: boolean };
}

/** How one look at an intent went. */
interface Look {
  readonly error: DurableClientError | null;
  readonly isOver: boolean;
  /** The pause that the server asked for. */
  readonly pauseMs: number | undefined;
}

/** Follows one intent over any number of connections. */
export class Observation {
  readonly #options: ResolvedClientOptions;
  readonly #request: ObserveRequest;
  readonly #health: StreamHealth;
  readonly #poll: EventPoll;
  #cursor: number;
  #failures = 0;
  #invalidCount = 0;

  constructor(options: ResolvedClientOptions, request: ObserveRequest) {
    this.#options = options;
    this.#request = request;
    this.#cursor = request.after;
    this.#health = new StreamHealth(request.memory.streamsBlocked);
    this.#poll = new EventPoll(options, request.url, request.signal);
  }

  /** The events after the cursor in order, each once, until the terminal one. */
  async *events(): AsyncGenerator<WireEvent, void, undefined> {
    for (;;) {
      const look = yield* this.#health.wantsPoll ? this.#pollOnce() : this.#streamOnce();
      if (look.isOver) return;
      await this.#pause(look);
    }
  }

  async *#streamOnce(): AsyncGenerator<WireEvent, Look, undefined> {
    const state: StreamState = {
      hasBytes: false,
      isOver: false,
      isRefused: false,
      retryMs: undefined,
    };
    let error: DurableClientError | null = null;
    const { url, signal } = this.#request;
    const request = { url: `${url}/events`, after: this.#cursor, signal };
    try {
      for await (const event of streamEvents(this.#options, request, state)) {
        if (!this.#isNext(event, request.url)) continue;
        yield event;
        state.isOver = isTerminal(event.status);
        if (state.isOver) break;
      }
    } catch (thrown) {
      if (!state.isRefused) error = this.#transient(thrown);
    }
    if (error?.code !== 'response_invalid') this.#invalidCount = 0;
    this.#learn(state, error);
    return { error, isOver: state.isOver, pauseMs: state.isRefused ? 0 : state.retryMs };
  }

  async *#pollOnce(): AsyncGenerator<WireEvent, Look, undefined> {
    const { url, signal, memory } = this.#request;
    try {
      const { events, isOver } = await this.#poll.next(this.#cursor);
      this.#health.polled();
      memory.streamsBlocked = this.#health.isBlocked;
      this.#failures = 0;
      for (const event of events) {
        if (!this.#isNext(event, url)) continue;
        yield event;
        if (isTerminal(event.status)) return { error: null, isOver: true, pauseMs: 0 };
      }
      if (!isOver) await delay(POLL_PAUSE_MS, signal);
      return { error: null, isOver, pauseMs: 0 };
    } catch (thrown) {
      const error = this.#transient(thrown);
      this.#health.pollFailed();
      return { error, isOver: false, pauseMs: undefined };
    }
  }

  #learn(state: StreamState, error: DurableClientError | null): void {
    if (state.hasBytes) {
      this.#health.flowed();
      this.#request.memory.streamsBlocked = false;
    } else if (state.isRefused || error?.code === 'timeout') this.#health.refused();
    else if (error !== null) this.#health.failed();
  }

  /** Whether `event` is the one that follows; false for one that was seen before. */
  #isNext({ seq }: WireEvent, url: string): boolean {
    if (seq <= this.#cursor) return false;
    if (seq > this.#cursor + 1) {
      throw invalid({ url, status: 200 }, `event ${seq} came after event ${this.#cursor}`);
    }
    this.#cursor = seq;
    this.#failures = 0;
    this.#invalidCount = 0;
    return true;
  }

  async #pause({ error, pauseMs }: Look): Promise<void> {
    if (pauseMs === 0) return;
    const { url, signal } = this.#request;
    const { backoff, onRetry } = this.#options;
    const asked = error === null ? pauseMs : error.retryAfterMs;
    if (asked === undefined) this.#failures += 1;
    const delayMs = asked ?? backoffMs(this.#failures, backoff);
    onRetry({ url, error, failures: this.#failures, delayMs });
    await delay(delayMs, signal);
  }

  /** The error, if a later look may do better. @throws it otherwise. */
  #transient(error: unknown): DurableClientError {
    this.#request.signal?.throwIfAborted();
    if (!(error instanceof DurableClientError)) throw error;
    if (error.retryable) return error;
    this.#invalidCount += 1;
    if (error.code === 'response_invalid' && this.#invalidCount <= this.#options.retries)
      return error;
    throw error;
  }
}
