import { createParser } from 'eventsource-parser';
import type { WireEvent } from '@durable-api/protocol';
import { eventSchema } from '@durable-api/protocol';
import type { StreamSink } from '../../src/observe/stream-sink.ts';

/** An SSE client with the parser that browsers' behaviour is compared with; it reads what it is sent. */
export class TestSink implements StreamSink {
  /** What was written, each write as it came. */
  readonly writes: (string | Uint8Array)[] = [];
  readonly events: WireEvent[] = [];
  readonly retries: number[] = [];
  readonly comments: string[] = [];
  state: 'open' | 'ended' | 'destroyed' | 'closed' = 'open';
  /** While true, writes are taken but answered with "wait for drain", as a slow client makes them. */
  isSlow = false;
  flushes = 0;
  readonly #listeners: Record<'close' | 'drain', (() => void)[]> = { close: [], drain: [] };
  readonly #decoder = new TextDecoder();
  readonly #parser = createParser({
    onEvent: (message) => {
      const event = eventSchema.parse(JSON.parse(message.data));
      if (message.id !== String(event.seq) || message.event !== event.event_type) {
        throw new Error(`Frame ${message.id} ${message.event} does not say what its data says.`);
      }
      this.events.push(event);
    },
    onRetry: (retryMs) => this.retries.push(retryMs),
    onComment: (comment) => this.comments.push(comment),
    onError: (error) => {
      throw error;
    },
  });

  get seqs(): number[] {
    return this.events.map((event) => event.seq);
  }

  write(chunk: string | Uint8Array): boolean {
    if (this.state !== 'open') throw new Error(`A write to a stream that is ${this.state}.`);
    this.writes.push(chunk);
    this.#parser.feed(
      typeof chunk === 'string' ? chunk : this.#decoder.decode(chunk, { stream: true }),
    );
    return !this.isSlow;
  }

  end(chunk?: string): void {
    if (chunk !== undefined) this.write(chunk);
    this.state = 'ended';
  }

  destroy(): void {
    this.state = 'destroyed';
  }

  on(event: 'close' | 'drain', listener: () => void): void {
    this.#listeners[event].push(listener);
  }

  flush(): void {
    this.flushes += 1;
  }

  /** The client takes what is buffered. */
  drain(): void {
    this.isSlow = false;
    for (const listener of this.#listeners.drain) listener();
  }

  /** The client goes away. */
  close(): void {
    if (this.state === 'open') this.state = 'closed';
    for (const listener of this.#listeners.close) listener();
  }
}
