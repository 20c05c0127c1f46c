import type { Ledger, StreamReply, Wait } from '@durable-api/core';
import type { Caller } from '../access/caller.ts';
import { KEEP_ALIVE, STREAM_HEADERS, timeoutFrame } from './frames.ts';
import type { StreamRoom } from './stream-room.ts';

/** A part of what is followed. */
export interface Batch {
  /** The frames; empty when there is nothing new. */
  readonly text: string;
  /** From where the next batch goes on. */
  readonly cursor: number;
  /** Whether nothing will ever follow. */
  readonly isLast: boolean;
}

/** What a stream follows. */
export interface Followed {
  /** Reads what comes after the cursor. */
  readonly read: (cursor: number) => Promise<Batch>;
  /** Waits for more. */
  readonly wait: (cursor: number, timeoutMs: number) => Promise<Wait>;
}

/** What a stream is made of. */
export interface FollowSetup {
  readonly ledger: Ledger;
  readonly streams: StreamRoom;
  readonly caller: Caller;
  readonly followed: Followed;
  readonly cursor: number;
  /**
   * How long to wait for something: then the stream ends, and it ends after the first batch, for clients that
   * read the whole body before they look at any of it. Null keeps it open until there is nothing to follow.
   */
  readonly waitMs: number | null;
}

/** What comes so soon after a first batch goes with it, in ms. */
const LINGER_MS = 25;
/** Longest silence of a stream that is kept open, in ms. */
const SILENCE_MS = 15_000;
/** How old a stream that is kept open gets, in ms. */
const MAX_AGE_MS = 600_000;
/** How long a stream whose store fails keeps its client from coming back at once, in ms. */
const FAILED_MS = 1_000;

/** The answer that follows something. */
export function followReply(setup: FollowSetup): StreamReply {
  return {
    kind: 'stream',
    status: 200,
    headers: STREAM_HEADERS,
    open: (sink) => void new Follower(setup, sink).run(),
  };
}

type Sink = Parameters<StreamReply['open']>[0];

class Follower {
  readonly #setup: FollowSetup;
  readonly #sink: Sink;
  #cursor: number;
  #wait: Wait | null = null;
  #isOver = false;
  #isGone = false;
  #drained: (() => void) | null = null;

  constructor(setup: FollowSetup, sink: Sink) {
    this.#setup = setup;
    this.#sink = sink;
    this.#cursor = setup.cursor;
  }

  /** Writes until there is nothing left to do. Never rejects. */
  async run(): Promise<void> {
    const { streams, caller, ledger } = this.#setup;
    const visit = { end: () => this.#stop() };
    streams.enter(caller, visit);
    this.#sink.on('close', () => {
      this.#isGone = true;
      this.#stop();
    });
    this.#sink.on('drain', () => this.#drained?.());
    try {
      await this.#follow();
    } catch (error) {
      ledger.logger.warn({ err: error }, 'A stream of the gateway failed');
      if (!this.#isOver) await new Promise<void>((resolve) => ledger.after(FAILED_MS, resolve));
      await this.#write(timeoutFrame(this.#cursor));
    } finally {
      streams.leave(caller, visit);
      if (!this.#isGone) this.#sink.end();
    }
  }

  async #follow(): Promise<void> {
    const { waitMs } = this.#setup;
    const endAt = this.#now() + (waitMs ?? MAX_AGE_MS);
    while (!this.#isOver) {
      const batch = await this.#read();
      if (batch.text !== '') {
        await this.#write(batch.text);
        if (batch.isLast) return;
        if (waitMs !== null) return this.#linger();
        continue;
      }
      const leftMs = endAt - this.#now();
      if (batch.isLast || leftMs <= 0) return this.#write(timeoutFrame(this.#cursor));
      const hasMore = await this.#waitFor(waitMs === null ? Math.min(leftMs, SILENCE_MS) : leftMs);
      if (!hasMore && waitMs === null && !this.#isOver) await this.#write(KEEP_ALIVE);
    }
    await this.#write(timeoutFrame(this.#cursor));
  }

  async #linger(): Promise<void> {
    if (!(await this.#waitFor(LINGER_MS)) || this.#isOver) return;
    const { text } = await this.#read();
    if (text !== '') await this.#write(text);
  }

  async #read(): Promise<Batch> {
    const batch = await this.#setup.followed.read(this.#cursor);
    this.#cursor = batch.cursor;
    return batch;
  }

  async #waitFor(timeoutMs: number): Promise<boolean> {
    const wait = await this.#setup.followed.wait(this.#cursor, timeoutMs);
    this.#wait = wait;
    if (this.#isOver) wait.cancel();
    const change = await wait.change;
    this.#wait = null;
    return change !== null;
  }

  async #write(text: string): Promise<void> {
    if (this.#isGone || this.#sink.write(text)) return this.#flush();
    this.#flush();
    await new Promise<void>((resolve) => {
      this.#drained = resolve;
      if (this.#isGone) resolve();
    });
    this.#drained = null;
  }

  #flush(): void {
    if (!this.#isGone) this.#sink.flush?.();
  }

  #stop(): void {
    this.#isOver = true;
    this.#wait?.cancel();
    this.#drained?.();
  }

  #now(): number {
    return this.#setup.ledger.now();
  }
}
