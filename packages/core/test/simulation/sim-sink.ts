import type { StreamSink } from '../../src/observe/stream-sink.ts';

/** An SSE client that reads ids and retries, and nothing more, since worlds have many of them. */
export class SimSink implements StreamSink {
  isSlow = false;
  isOpen = true;
  retryMs = 1_000;
  readonly #onSeq: (seq: number) => void;
  readonly #onEnd: () => void;
  readonly #listeners: Record<'close' | 'drain', (() => void)[]> = { close: [], drain: [] };

  constructor(onSeq: (seq: number) => void, onEnd: () => void) {
    this.#onSeq = onSeq;
    this.#onEnd = onEnd;
  }

  write(chunk: string | Uint8Array): boolean {
    if (!this.isOpen) throw new Error('A write after the end.');
    const text = typeof chunk === 'string' ? chunk : Buffer.from(chunk).toString();
    for (const [, field, value] of text.matchAll(/^(id|retry): (\d+)$/gm)) {
      if (field === 'retry') this.retryMs = Number(value);
      else this.#onSeq(Number(value));
    }
    return !this.isSlow;
  }

  end(chunk?: string): void {
    if (chunk !== undefined) this.write(chunk);
    this.#finish();
  }

  destroy(): void {
    this.#finish();
  }

  on(event: 'close' | 'drain', listener: () => void): void {
    this.#listeners[event].push(listener);
  }

  drain(): void {
    this.isSlow = false;
    for (const listener of this.#listeners.drain) listener();
  }

  /** The connection breaks: the client knows at once, the process when it runs. */
  breakOff(): void {
    this.#finish();
  }

  tellProcess(): void {
    for (const listener of this.#listeners.close) listener();
  }

  #finish(): void {
    if (!this.isOpen) return;
    this.isOpen = false;
    this.#onEnd();
  }
}
