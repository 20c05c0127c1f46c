import type { StoredEvent } from '../store/store.ts';
import type { StreamForm } from './stream-form.ts';
import type { StreamSink } from './stream-sink.ts';
import type { Topic } from './topic.ts';

/** The most that one write of a replay has, in bytes; the next one waits for the client. */
const MAX_WRITE_BYTES = 65_536;

/** What all observers of a process share, so that one more costs little. */
export interface ObserverHost {
  now(): number;
  /** When the client shall come back after its stream ends early, in ms. */
  retryMs(): number;
  /** The events of an intent that follow `after`. */
  read(id: string, after: number): Promise<readonly StoredEvent[]>;
  ended(observer: Observer): void;
  failed(error: unknown, intentId: string): void;
}

/** What is an observer's own. */
export interface ObserverSetup {
  readonly sink: StreamSink;
  readonly form: StreamForm;
  /** The last seq that the client has. */
  readonly after: number;
  /** When the stream ends and the client is asked to reconnect. */
  readonly expiresAt: number;
}

/**
 * One SSE stream: replays what the client misses, then follows. It keeps a cursor and no buffer:
 * a slow client falls back to reading from the store.
 */
export class Observer {
  readonly topic: Topic;
  readonly #host: ObserverHost;
  readonly #sink: StreamSink;
  readonly #form: StreamForm;
  readonly #expiresAt: number;
  #cursor: number;
  #blockedAt: number | null = null;
  #hearsDrain = false;
  #reading = false;
  #ended = false;
  #hasShown = false;
  #writtenAt: number;

  constructor(topic: Topic, host: ObserverHost, { sink, form, after, expiresAt }: ObserverSetup) {
    this.topic = topic;
    this.#host = host;
    this.#sink = sink;
    this.#form = form;
    this.#cursor = after;
    this.#expiresAt = expiresAt;
    this.#writtenAt = host.now();
  }

  /** Sends the opening and what the client misses. */
  start(): void {
    this.#sink.on('close', () => this.#finish());
    this.#write(this.#form.opening(this.#host.retryMs()));
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
      this.#show(chunk.events, chunk.bytes(this.#form));
    }
  }

  /** Called at intervals: sends heartbeats, ends what is too old or takes nothing. */
  tick(now: number, heartbeatMs: number, stalledMs: number): void {
    if (this.#blockedAt !== null) {
      if (now - this.#blockedAt >= stalledMs) this.#drop();
    } else if (now >= this.#expiresAt) this.leave();
    else if (this.#form.heartbeat !== null && now - this.#writtenAt >= heartbeatMs)
      this.#write(this.#form.heartbeat);
  }

  /** Ends the stream and tells the client when to reconnect. */
  leave(): void {
    if (this.#ended) return;
    const farewell = this.#form.leaving(this.#host.retryMs());
    if (farewell === null) return this.#drop();
    this.#finish();
    this.#try(() => this.#sink.end(farewell));
  }

  async #readOn(): Promise<void> {
    this.#reading = true;
    try {
      const events = await this.#host.read(this.topic.id, this.#cursor);
      this.#reading = false;
      // What the topic announced is not readable: let the client come back for it.
      if (events.length === 0) return this.leave();
      const parts = [...inParts(events)];
      // Who begins here next is given the same bytes, and reads nothing.
      if (parts.length === 1 && events[0]?.seq === this.#cursor + 1) this.topic.prime(events);
      for (const part of parts) {
        // What is left is read again when the client has taken this.
        if (this.#ended || this.#blockedAt !== null) return;
        this.#cursor = part.at(-1)?.seq ?? this.#cursor;
        this.#show(part, this.#form.encode(part));
      }
      this.pump();
    } catch (error) {
      this.#reading = false;
      this.#host.failed(error, this.topic.id);
      this.leave();
    }
  }

  #show(events: readonly StoredEvent[], bytes: Uint8Array): void {
    // Where nothing can be taken back, the stream breaks off, for the client to notice.
    if (this.#hasShown && this.#form.voids(events)) return this.#drop();
    this.#hasShown ||= bytes.length > 0;
    this.#write(bytes);
    if (this.#form.fails(events)) this.#drop();
  }

  #write(chunk: string | Uint8Array): void {
    if (chunk.length === 0) return;
    const sink = this.#sink;
    this.#writtenAt = this.#host.now();
    try {
      if (!sink.write(chunk)) this.#block();
      sink.flush?.();
    } catch (error) {
      this.#host.failed(error, this.topic.id);
      this.#drop();
    }
  }

  #block(): void {
    this.#blockedAt = this.#writtenAt;
    // Most clients keep up, and need no listener.
    if (!this.#hearsDrain) this.#sink.on('drain', () => this.#unblock());
    this.#hearsDrain = true;
  }

  #unblock(): void {
    this.#blockedAt = null;
    this.pump();
  }

  #close(): void {
    this.#finish();
    this.#try(() => this.#sink.end());
  }

  #drop(): void {
    this.#finish();
    this.#try(() => this.#sink.destroy());
  }

  // A stream that fails is its own affair: whoever publishes goes on.
  #try(use: () => void): void {
    try {
      use();
    } catch (error) {
      this.#host.failed(error, this.topic.id);
    }
  }

  #finish(): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#host.ended(this);
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
