import type { StoredEvent } from '../store/store.ts';
import { encodeFrames, encodeOpening, encodeRetry, HEARTBEAT } from './sse.ts';
import type { StreamSink } from './stream-sink.ts';
import type { Topic } from './topic.ts';

/** The most that one write of a replay has, in bytes; the next one waits for the client. */
const MAX_WRITE_BYTES = 65_536;

/** What an observer needs beside its topic. */
export interface ObserverSetup {
  readonly sink: StreamSink;
  /** The last seq that the client has. */
  readonly after: number;
  /** When the stream ends and the client is asked to reconnect. */
  readonly expiresAt: number;
  /** When the client shall come back after the stream ends early, in ms. */
  readonly retryMs: number;
  readonly now: () => number;
  readonly read: (after: number) => Promise<readonly StoredEvent[]>;
  readonly onEnd: (observer: Observer) => void;
  readonly onError: (error: unknown) => void;
}

/**
 * One SSE stream: replays what the client misses, then follows. It keeps a cursor and no buffer:
 * a slow client falls back to reading from the store.
 */
export class Observer {
  readonly topic: Topic;
  readonly #setup: ObserverSetup;
  #cursor: number;
  #blockedAt: number | null = null;
  #reading = false;
  #ended = false;
  #writtenAt: number;

  constructor(topic: Topic, setup: ObserverSetup) {
    this.topic = topic;
    this.#setup = setup;
    this.#cursor = setup.after;
    this.#writtenAt = setup.now();
  }

  /** Sends the opening and what the client misses. */
  start(): void {
    const { sink, retryMs } = this.#setup;
    sink.on('close', () => this.#finish());
    sink.on('drain', () => this.#unblock());
    this.#write(encodeOpening(retryMs));
    this.pump();
  }

  /** Writes what the topic has and the client lacks, as far as the client takes it. */
  pump(): void {
    const { topic } = this;
    while (!this.#ended && this.#blockedAt === null && !this.#reading) {
      if (this.#cursor >= topic.lastSeq) {
        if (topic.ended) this.#close();
        return;
      }
      const chunk = topic.chunkAfter(this.#cursor);
      if (chunk === undefined) {
        void this.#readOn();
        return;
      }
      this.#cursor = chunk.last;
      this.#write(chunk.bytes());
    }
  }

  /** Called at intervals: sends heartbeats, ends what is too old or takes nothing. */
  tick(now: number, heartbeatMs: number, stalledMs: number): void {
    if (this.#blockedAt !== null) {
      if (now - this.#blockedAt >= stalledMs) this.#drop();
    } else if (now >= this.#setup.expiresAt) this.leave(this.#setup.retryMs);
    else if (now - this.#writtenAt >= heartbeatMs) this.#write(HEARTBEAT);
  }

  /** Ends the stream and tells the client when to reconnect. */
  leave(retryMs: number): void {
    if (this.#ended) return;
    this.#finish();
    this.#try(() => this.#setup.sink.end(encodeRetry(retryMs)));
  }

  async #readOn(): Promise<void> {
    this.#reading = true;
    try {
      const events = await this.#setup.read(this.#cursor);
      this.#reading = false;
      // What the topic announced is not readable: let the client come back for it.
      if (events.length === 0) return this.leave(this.#setup.retryMs);
      for (const part of inParts(events)) {
        // What is left is read again when the client has taken this.
        if (this.#ended || this.#blockedAt !== null) return;
        this.#cursor = part.at(-1)?.seq ?? this.#cursor;
        this.#write(encodeFrames(part));
      }
      this.pump();
    } catch (error) {
      this.#reading = false;
      this.#setup.onError(error);
      this.leave(this.#setup.retryMs);
    }
  }

  #write(chunk: string | Uint8Array): void {
    const { sink, now } = this.#setup;
    this.#writtenAt = now();
    const isWritten = this.#try(() => {
      if (!sink.write(chunk)) this.#blockedAt = this.#writtenAt;
      sink.flush?.();
    });
    if (!isWritten) this.#drop();
  }

  #unblock(): void {
    this.#blockedAt = null;
    this.pump();
  }

  #close(): void {
    this.#finish();
    this.#try(() => this.#setup.sink.end());
  }

  #drop(): void {
    this.#finish();
    this.#try(() => this.#setup.sink.destroy());
  }

  // A stream that fails is its own affair: whoever publishes goes on.
  #try(use: () => void): boolean {
    try {
      use();
      return true;
    } catch (error) {
      this.#setup.onError(error);
      return false;
    }
  }

  #finish(): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#setup.onEnd(this);
  }
}

function* inParts(events: readonly StoredEvent[]): Generator<readonly StoredEvent[]> {
  let part: StoredEvent[] = [];
  let bytes = 0;
  for (const event of events) {
    part.push(event);
    bytes += Buffer.byteLength(event.json);
    if (bytes < MAX_WRITE_BYTES) continue;
    yield part;
    part = [];
    bytes = 0;
  }
  if (part.length > 0) yield part;
}
