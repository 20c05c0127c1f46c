import { isTerminal } from '@durable-api/protocol';
import type { IntentRecord, StoredResponse } from '../state/intent.ts';
import type { StoredEvent } from '../store/store.ts';
import { SSE_FORM } from './sse.ts';
import type { StreamForm } from './stream-form.ts';
import type { Observer } from './observer.ts';

/** The state that a waiter is told of; `result` only when this process wrote it just now. */
export interface Change {
  readonly record: IntentRecord;
  readonly result?: StoredResponse;
}

/** A part of the stream as bytes that all observers share. */
export class Chunk {
  readonly first: number;
  readonly last: number;
  readonly events: readonly StoredEvent[];
  #bytes: Uint8Array | null = null;
  #others: Map<StreamForm, Uint8Array> | null = null;

  constructor(events: readonly StoredEvent[], first: number, last: number) {
    this.events = events;
    this.first = first;
    this.last = last;
  }

  /** The events in this form; encoded at the first call. */
  bytes(form: StreamForm): Uint8Array {
    if (form === SSE_FORM) return (this.#bytes ??= form.encode(this.events));
    this.#others ??= new Map();
    const known = this.#others.get(form);
    if (known !== undefined) return known;
    const bytes = form.encode(this.events);
    this.#others.set(form, bytes);
    return bytes;
  }
}

/** How many of the latest chunks a topic keeps for observers that are a little behind. */
const KEPT_CHUNKS = 32;

/** What this process knows of an intent that somebody here observes or waits for. */
export class Topic {
  readonly observers: Set<Observer> = new Set();
  /** Called with each change; with null when waiting is over. */
  readonly waiters: Set<(change: Change | null) => void> = new Set();
  /** How many streams are about to begin: what comes until then is kept for them. */
  holds = 0;
  #record: IntentRecord;
  #chunks: Chunk[] = [];

  constructor(record: IntentRecord) {
    this.#record = record;
  }

  /** Takes in the events that led to the record, so that nobody has to read them. */
  prime(events: readonly StoredEvent[]): void {
    this.#keep(events);
  }

  /** The latest record that is known here. */
  get record(): IntentRecord {
    return this.#record;
  }

  get id(): string {
    return this.#record.id;
  }

  get lastSeq(): number {
    return this.#record.seq;
  }

  get ended(): boolean {
    return isTerminal(this.#record.status);
  }

  get isIdle(): boolean {
    return this.observers.size === 0 && this.waiters.size === 0 && this.holds === 0;
  }

  /** Takes in newer events and passes them on; older ones are known already. */
  advance(change: Change, events: readonly StoredEvent[]): void {
    const { record } = change;
    if (record.seq > this.lastSeq) {
      this.#keep(events);
      this.#record = record;
    }
    for (const observer of this.observers) observer.pump();
    for (const waiter of this.waiters) waiter(change);
  }

  /** The kept chunk that begins right after `seq`. */
  chunkAfter(seq: number): Chunk | undefined {
    return this.#chunks.findLast((chunk) => chunk.first === seq + 1);
  }

  #keep(events: readonly StoredEvent[]): void {
    const first = events[0];
    const last = events.at(-1);
    if (first === undefined || last === undefined) return;
    if (this.observers.size === 0 && this.holds === 0) return;
    this.#chunks.push(new Chunk(events, first.seq, last.seq));
    if (this.#chunks.length > KEPT_CHUNKS) this.#chunks.shift();
  }
}
