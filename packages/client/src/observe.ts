import { HEADERS, isTerminal, type WireEvent } from '@durable-api/protocol';
import { delay } from './backoff.ts';
import type { DurableClientError } from './errors.ts';
import { EventPoll } from './event-poll.ts';
import { newStreamState, streamEvents, type StreamState } from './event-stream.ts';
import { invalid } from './answer.ts';
import type { ResolvedClientOptions } from './options.ts';
import { Reconnecting, type Look } from './reconnecting.ts';
import { StreamHealth } from './stream-health.ts';
import { isEvent } from './wire.ts';

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
interface IntentLook extends Look {
  readonly isOver: boolean;
}

/** Follows one intent over any number of connections. */
export class Observation {
  readonly #options: ResolvedClientOptions;
  readonly #request: ObserveRequest;
  readonly #health: StreamHealth;
  readonly #poll: EventPoll;
  readonly #reconnecting: Reconnecting;
  #cursor: number;

  constructor(options: ResolvedClientOptions, request: ObserveRequest) {
    this.#options = options;
    this.#request = request;
    this.#cursor = request.after;
    this.#health = new StreamHealth(request.memory.streamsBlocked);
    this.#poll = new EventPoll(options, request.url, request.signal);
    this.#reconnecting = new Reconnecting(options, request.signal);
  }

  /** The events after the cursor in order, each once, until the terminal one. */
  async *events(): AsyncGenerator<WireEvent, void, undefined> {
    for (;;) {
      const look = yield* this.#health.wantsPoll ? this.#pollOnce() : this.#streamOnce();
      if (look.isOver) return;
      if (look.pauseMs !== 0) await this.#reconnecting.pause(this.#request.url, look);
    }
  }

  async *#streamOnce(): AsyncGenerator<WireEvent, IntentLook, undefined> {
    const state = newStreamState();
    let error: DurableClientError | null = null;
    const { url, signal } = this.#request;
    const after = this.#cursor;
    const headers = after === 0 ? {} : { [HEADERS.lastEventId]: String(after) };
    const request = { url: `${url}/events`, headers, is: isEvent, signal };
    try {
      for await (const event of streamEvents(this.#options, request, state)) {
        if (!this.#isNext(event, request.url)) continue;
        yield event;
        state.isOver = isTerminal(event.status);
        if (state.isOver) break;
      }
    } catch (thrown) {
      if (!state.isRefused) error = this.#reconnecting.transient(thrown);
    }
    if (error?.code !== 'response_invalid') this.#reconnecting.understood();
    this.#learn(state, error);
    // Who was refused polls, and that has pauses of its own.
    const pauseMs = state.isRefused ? 0 : state.retryMs === 0 ? undefined : state.retryMs;
    return { error, isOver: state.isOver, pauseMs };
  }

  async *#pollOnce(): AsyncGenerator<WireEvent, IntentLook, undefined> {
    const { url, signal, memory } = this.#request;
    try {
      const { events, isOver } = await this.#poll.next(this.#cursor);
      this.#health.polled();
      memory.streamsBlocked = this.#health.isBlocked;
      this.#reconnecting.answered();
      for (const event of events) {
        if (!this.#isNext(event, url)) continue;
        yield event;
        if (isTerminal(event.status)) return { error: null, isOver: true, pauseMs: 0 };
      }
      if (!isOver) await delay(POLL_PAUSE_MS, signal);
      return { error: null, isOver, pauseMs: 0 };
    } catch (thrown) {
      const error = this.#reconnecting.transient(thrown);
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
    this.#reconnecting.progressed();
    return true;
  }
}
