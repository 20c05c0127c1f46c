import type { Timer } from '../clock.ts';
import { HandlerFault, type HandlerFaultCode } from '../handler-fault.ts';
import type { Note } from '../store/store.ts';
import type { HandlerHost } from './host.ts';
import type { Journal } from './journal.ts';
import { packOutput, unfinishedBytes, unpackOutput, type OutputChunk } from './output-chunk.ts';
import type { Steps } from './steps.ts';

/** The shortest time between two batches, in ms. */
const BATCH_MS = 50;
/** How much may wait for the store before who puts it out is asked to wait, in bytes. */
const HIGH_WATER_BYTES = 65_536;
/** The share of an intent's events that output may come to; the rest is left for its end. */
const MAX_SHARE = 0.9;
/** The note that there is output of an attempt, which a later one makes void. */
const KEY = 'output';

const TEXT_TYPE = 'text/plain; charset=utf-8';
const BYTES_TYPE = 'application/octet-stream';

/** What output is made of. */
export interface OutputSetup {
  readonly host: HandlerHost;
  readonly journal: Journal;
  readonly steps: Steps;
  /** Whether the handler was called before in this attempt, and may have put out then. */
  readonly isAnotherCall: boolean;
}

/** What one attempt puts out: stored in batches, of which the first goes at once. */
export class Output {
  readonly #setup: OutputSetup;
  #waiting: Buffer[] = [];
  #waitingBytes = 0;
  #totalBytes = 0;
  #contentType: string | null = null;
  #isBegun = false;
  #flushing: Promise<void> = Promise.resolve();
  #timer: Timer | null = null;
  #fault: HandlerFault | null = null;

  constructor(setup: OutputSetup) {
    this.#setup = setup;
  }

  /** Whether observers may have seen output of this attempt. */
  get isBegun(): boolean {
    return this.#isBegun;
  }

  /**
   * Puts out a chunk. Resolves when more may come: at once, unless the store is far behind.
   * @throws HandlerFault `output_invalid`, `output_too_large` or `too_many_events`
   */
  async emit(chunk: string | Uint8Array, contentType?: string): Promise<void> {
    const bytes = this.#toBytes(chunk);
    const type = contentType ?? (typeof chunk === 'string' ? TEXT_TYPE : BYTES_TYPE);
    this.#setup.steps.current?.output.push(...packOutput(bytes));
    await this.#put(bytes, type);
  }

  /** Puts out again what a step did that is not run again. */
  repeat(chunks: readonly OutputChunk[]): void {
    for (const chunk of chunks) {
      const bytes = unpackOutput(chunk);
      const type = 'text' in chunk ? TEXT_TYPE : BYTES_TYPE;
      if (bytes !== null) this.#put(bytes, type).catch(() => {});
    }
  }

  /** Stores all that was put out. Rejects when the attempt is over. */
  async flush(isEnd = false): Promise<void> {
    await this.#storeNext(isEnd);
    if (this.#fault !== null) throw this.#fault;
  }

  /** The attempt has completed: stores what is left, and makes void what only an earlier one put out. */
  async finish(): Promise<void> {
    this.#timer?.cancel();
    await this.flush(true);
    if (!this.#isBegun && (await this.#isStale())) await this.#write({ reset: true });
  }

  /** Throws away what is not stored yet. */
  drop(): void {
    this.#timer?.cancel();
    this.#waiting = [];
    this.#waitingBytes = 0;
  }

  async #put(bytes: Buffer, contentType: string): Promise<void> {
    const { maxOutputBytes } = this.#setup.host.options.limits;
    if (this.#fault !== null) throw this.#fault;
    this.#totalBytes += bytes.length;
    if (this.#totalBytes > maxOutputBytes) {
      throw this.#fail(
        'output_too_large',
        `The handler has put out more than limits.maxOutputBytes (${maxOutputBytes}). Store it ` +
          'elsewhere and put out a reference, or raise the limit.',
      );
    }
    this.#contentType ??= contentType;
    if (bytes.length > 0) this.#waiting.push(bytes);
    this.#waitingBytes += bytes.length;
    if (this.#waitingBytes >= HIGH_WATER_BYTES) await this.flush();
    else if (this.#timer === null) this.#tick();
  }

  /** Stores what waits, and what comes until then after the shortest time between two batches. */
  #tick(): void {
    this.#timer = null;
    if (this.#waitingBytes === 0) return;
    this.#timer = this.#setup.host.clock.setTimeout(() => this.#tick(), this.#batchMs());
    this.#storeNext(false).catch(() => {});
  }

  /** Of a long stream the batches become longer, so that it comes to an end before its events do. */
  #batchMs(): number {
    const { record, options } = this.#setup.host;
    return BATCH_MS * Math.max(1, record.seq / (options.limits.maxEventCount / 5));
  }

  #storeNext(isEnd: boolean): Promise<void> {
    return (this.#flushing = this.#flushing.catch(() => {}).then(() => this.#store(isEnd)));
  }

  async #store(isEnd: boolean): Promise<void> {
    const bytes = this.#take(isEnd);
    if (bytes.length === 0) return;
    for (const piece of packOutput(bytes)) {
      if (this.#isBegun) {
        await this.#write({ ...piece });
        continue;
      }
      const resets = await this.#isStale();
      this.#isBegun = true;
      await this.#write({
        ...piece,
        content_type: this.#contentType,
        ...(resets && { reset: true }),
      });
    }
  }

  /** What waits, but for the beginning of a character whose rest has yet to come. */
  #take(isEnd: boolean): Buffer {
    const all = this.#waiting.length === 1 ? this.#waiting[0] : Buffer.concat(this.#waiting);
    if (all === undefined) return Buffer.alloc(0);
    const kept = isEnd ? 0 : unfinishedBytes(all);
    this.#waiting = kept === 0 ? [] : [all.subarray(all.length - kept)];
    this.#waitingBytes = kept;
    return all.subarray(0, all.length - kept);
  }

  /** Whether there is output of an earlier attempt that still counts. */
  async #isStale(): Promise<boolean> {
    const { host, journal, isAnotherCall } = this.#setup;
    if (host.isFresh) return false;
    const attempt = Number((await journal.notes()).get(KEY) ?? 0);
    return attempt > 0 && (attempt < host.attempt || isAnotherCall);
  }

  async #write(details: Readonly<Record<string, unknown>>): Promise<void> {
    const { host } = this.#setup;
    const { maxEventCount } = host.options.limits;
    if (host.record.seq >= maxEventCount * MAX_SHARE) {
      throw this.#fail(
        'too_many_events',
        `The intent has nearly limits.maxEventCount (${maxEventCount}) events, and cannot keep more ` +
          'output. Put out larger chunks less often, or raise the limit.',
      );
    }
    const isFirst = 'content_type' in details;
    const notes = isFirst ? [{ key: KEY, value: String(host.attempt) }] : [];
    await host.write({ type: 'output', details, notes });
  }

  #toBytes(chunk: unknown): Buffer {
    if (typeof chunk === 'string') return Buffer.from(chunk.toWellFormed());
    if (chunk instanceof Uint8Array) return Buffer.from(chunk);
    throw this.#fail(
      'output_invalid',
      'emit() takes a text or bytes. Put out data as JSON.stringify(data), with a line break after each.',
    );
  }

  /** The attempt cannot complete any more, whether the handler waits for its output or not. */
  #fail(code: HandlerFaultCode, message: string): HandlerFault {
    return (this.#fault ??= new HandlerFault(code, message));
  }
}

/** Whether observers may have seen output of this attempt, as far as is remembered. */
export function hasOutputOf(attempt: number, notes: readonly Note[] = []): boolean {
  return notes.some(({ key, value }) => key === KEY && Number(value) === attempt);
}
