import type { IncomingMessage } from 'node:http';
import { eventSchema, type WireEvent } from '@durable-api/protocol';
import { createParser } from 'eventsource-parser';

/** One event as an observer receives it. */
export interface ObservedEvent {
  readonly id: string | undefined;
  readonly event: string | undefined;
  readonly data: WireEvent;
}

/** An open `text/event-stream` answer, read as it comes. */
export class EventStream {
  readonly status: number;
  readonly headers: IncomingMessage['headers'];
  /** What the server told of when to reconnect, in ms. */
  readonly retries: number[] = [];
  readonly comments: string[] = [];
  readonly #response: IncomingMessage;
  readonly #chunks: Buffer[] = [];
  readonly #events: ObservedEvent[] = [];
  #taken = 0;
  #ended = false;
  #failure: Error | null = null;
  #changed: PromiseWithResolvers<void> = Promise.withResolvers();

  constructor(response: IncomingMessage) {
    this.#response = response;
    this.status = response.statusCode ?? 0;
    this.headers = response.headers;
    const parser = createParser({
      onEvent: ({ id, event, data }) => {
        this.#events.push({ id, event, data: eventSchema.parse(JSON.parse(data)) });
      },
      onRetry: (ms) => this.retries.push(ms),
      onComment: (comment) => this.comments.push(comment),
      onError: (error) => {
        this.#failure = error;
      },
    });
    const decoder = new TextDecoder();
    response.on('data', (chunk: Buffer) => {
      this.#chunks.push(chunk);
      parser.feed(decoder.decode(chunk, { stream: true }));
      this.#change();
    });
    response.on('close', () => {
      this.#ended = true;
      this.#change();
    });
    response.on('error', (error) => {
      this.#failure = error;
      this.#change();
    });
  }

  /** The bytes received so far. */
  get text(): string {
    return Buffer.concat(this.#chunks).toString('utf8');
  }

  /** Whether the server ended the answer properly. */
  get isComplete(): boolean {
    return this.#response.complete;
  }

  /** The next event; null when the stream has ended. */
  async next(): Promise<ObservedEvent | null> {
    await this.until(() => this.#events.length > this.#taken);
    return this.#events[this.#taken++] ?? null;
  }

  /** The events up to and including the first of this type; fails when there is none. */
  async upTo(type: string): Promise<readonly ObservedEvent[]> {
    const seen: ObservedEvent[] = [];
    for (let event = await this.next(); event !== null; event = await this.next()) {
      seen.push(event);
      if (event.event === type) return seen;
    }
    throw new Error(
      `The stream ended without ${type}, after ${seen.map((one) => one.event).join(', ')}.`,
    );
  }

  /** All further events, once the server has ended the stream. */
  async rest(): Promise<readonly ObservedEvent[]> {
    await this.until(() => false);
    const rest = this.#events.slice(this.#taken);
    this.#taken = this.#events.length;
    return rest;
  }

  /** Waits until `isEnough`, or until the stream has ended. Rejects when it broke. */
  async until(isEnough: () => boolean): Promise<void> {
    while (!isEnough() && !this.#ended) await this.#changed.promise;
    if (this.#failure !== null && !isEnough()) throw this.#failure;
  }

  /** Leaves without a word, as a closed browser tab does. */
  leave(): void {
    this.#failure = null;
    this.#response.removeAllListeners('error');
    this.#response.on('error', () => {});
    this.#response.destroy();
  }

  #change(): void {
    this.#changed.resolve();
    this.#changed = Promise.withResolvers();
  }
}
