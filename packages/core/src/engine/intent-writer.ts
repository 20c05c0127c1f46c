import { isTerminal, type IntentEvent } from '@durable-api/protocol';
import type { Clock } from '../clock.ts';
import type { Command } from '../state/command.ts';
import type { IntentRecord, StoredResponse } from '../state/intent.ts';
import { freedLiveKey } from '../state/live-key.ts';
import { transition } from '../state/transition.ts';
import type { CommitRequest, Note, StoredEvent } from '../store/store.ts';
import type { EndNotice } from '../webhooks/notices.ts';
import { encodeStored } from './encode-stored.ts';
import type { Committed, GroupCommit } from './group-commit.ts';

/** How a command ended: written, refused by the state machine, or fenced off. */
export type WriteOutcome =
  | { readonly outcome: 'written'; readonly record: IntentRecord }
  | { readonly outcome: 'refused'; readonly record: IntentRecord }
  | { readonly outcome: 'stale' }
  | { readonly outcome: 'missing' };

/** Whether a command was refused because a cancel was requested, of which children must be told. */
export function isCanceledFirst(written: WriteOutcome): boolean {
  if (written.outcome !== 'refused') return false;
  const { status, cancelRequestedAt } = written.record;
  return !isTerminal(status) && cancelRequestedAt !== null;
}

/** A change that a commit made. */
export interface WrittenChange {
  readonly record: IntentRecord;
  readonly events: readonly StoredEvent[];
  readonly result?: StoredResponse;
}

/** What a writer needs and tells. */
export interface IntentWriterSetup {
  readonly record: IntentRecord;
  /** The lease that fences every write; null for a writer that holds none. */
  readonly lease: number | null;
  readonly commits: GroupCommit;
  readonly clock: Clock;
  /** Called with every change that was written. */
  readonly onWritten: (change: WrittenChange) => void;
  /**
   * Called when the intent is not as this writer left it: with the record that was found, or null when
   * the lease is gone.
   */
  readonly onMoved?: (record: IntentRecord | null) => void;
  /** What is done before an end is stored, and after. Default: nothing. */
  readonly notice?: EndNotice | null;
}

interface PendingCommand {
  readonly command: Command;
  readonly settle: (outcome: WriteOutcome) => void;
  readonly reject: (error: unknown) => void;
}

interface Attempted extends WrittenChange {
  readonly commands: readonly PendingCommand[];
  readonly refused: readonly PendingCommand[];
  readonly notes: readonly Note[] | null;
}

/**
 * Writes one intent: commands are applied in order, those that gather while a commit is under way
 * become one commit, and a change that met another writer's is computed again from what that left.
 */
export class IntentWriter {
  readonly #setup: IntentWriterSetup;
  #record: IntentRecord;
  #pending: PendingCommand[] = [];
  #writing: Promise<void> | null = null;
  /** The delivery of the intent's end, once it is stored. */
  #deliveryId: string | null = null;

  constructor(setup: IntentWriterSetup) {
    this.#setup = setup;
    this.#record = setup.record;
  }

  /** The record as last written or read. */
  get record(): IntentRecord {
    return this.#record;
  }

  /** Goes on from a record that was read, if somebody else has written it meanwhile. */
  catchUp(record: IntentRecord): void {
    const isNews = record.seq > this.#record.seq && record.lease === this.#record.lease;
    if (!isNews || this.#writing !== null) return;
    this.#record = record;
    this.#setup.onMoved?.(record);
  }

  /** Resolves when nothing is being written. */
  async idle(): Promise<void> {
    while (this.#writing !== null) await this.#writing;
  }

  /**
   * Applies `command`. Rejects when the store failed: then the outcome is unknown, and giving the
   * same command again is safe.
   */
  apply(command: Command): Promise<WriteOutcome> {
    return new Promise<WriteOutcome>((settle, reject) => {
      this.#pending.push({ command, settle, reject });
      this.#writing ??= this.#write();
    });
  }

  /** Never rejects: who gave a command is told of its own. */
  async #write(): Promise<void> {
    while (this.#pending.length > 0) {
      const made: { attempted?: Attempted } = {};
      try {
        const result = await this.#setup.commits.commit(() => {
          const attempted = (made.attempted = this.#attempt());
          if (attempted.events.length === 0 || this.#noticeOf(attempted) !== null) return null;
          return this.#request(attempted);
        });
        const { attempted } = made;
        const notice = attempted === undefined ? null : this.#noticeOf(attempted);
        if (attempted !== undefined && notice !== null) await this.#give(notice, attempted);
        else if (attempted !== undefined) this.#settle(attempted, result);
      } catch (error) {
        this.#fail(made.attempted, error);
      }
    }
    this.#writing = null;
  }

  /** What has to be done before this is stored, since it ends the intent; null for nothing. */
  #noticeOf({ record, events }: Attempted): EndNotice | null {
    const isEnd = events.length > 0 && isTerminal(record.status);
    return isEnd && this.#deliveryId === null ? (this.#setup.notice ?? null) : null;
  }

  /** After that all is computed again: it takes its time, and the end names the delivery. */
  async #give(notice: EndNotice, { commands, refused }: Attempted): Promise<void> {
    this.#deliveryId = await notice.store();
    for (const { settle } of refused) settle({ outcome: 'refused', record: this.#record });
    this.#pending.unshift(...commands);
  }

  #fail(attempted: Attempted | undefined, error: unknown): void {
    const { commands = [], refused = [] } = attempted ?? {};
    const failed = [...commands, ...refused, ...this.#pending];
    this.#pending = [];
    for (const { reject } of failed) reject(error);
  }

  #attempt(): Attempted {
    let record = this.#record;
    const events: IntentEvent[] = [];
    const commands: PendingCommand[] = [];
    const refused: PendingCommand[] = [];
    let result: StoredResponse | undefined;
    let notes: Note[] | null = null;
    for (const pending of this.#pending) {
      const next = transition(record, pending.command, this.#setup.clock.now(), this.#deliveryId);
      if (!next.ok) {
        refused.push(pending);
        continue;
      }
      commands.push(pending);
      record = next.record;
      events.push(...next.events);
      if ('notes' in pending.command) (notes ??= []).push(...(pending.command.notes ?? []));
      if (pending.command.type === 'complete' && record.status === 'COMPLETED') {
        result = pending.command.result;
      }
    }
    this.#pending = [];
    const stored = encodeStored(record.id, events);
    return { record, events: stored, ...(result && { result }), commands, refused, notes };
  }

  #request(attempted: Attempted): CommitRequest {
    const { record, events, result, notes } = attempted;
    const expected = { seq: this.#record.seq, lease: this.#setup.lease };
    const freesLiveKey = freedLiveKey(this.#record, record);
    return {
      expected,
      record,
      events,
      ...(result && { result }),
      ...(notes && { notes }),
      ...(freesLiveKey !== undefined && { freesLiveKey }),
    };
  }

  #settle(attempted: Attempted, result: Committed | null): void {
    for (const { settle } of attempted.refused)
      settle({ outcome: 'refused', record: this.#record });
    if (result === null) return;
    if (result.outcome === 'moved') {
      this.#record = result.record;
      this.#pending.unshift(...attempted.commands);
      this.#setup.onMoved?.(result.record);
      return;
    }
    if (result.outcome === 'stale' || result.outcome === 'missing') {
      this.#setup.onMoved?.(null);
      for (const { settle } of attempted.commands) settle({ outcome: result.outcome });
      return;
    }
    this.#record = attempted.record;
    this.#setup.onWritten(attempted);
    if (isTerminal(attempted.record.status)) this.#setup.notice?.ended();
    const written = { outcome: 'written', record: attempted.record } as const;
    for (const { settle } of attempted.commands) settle(written);
  }
}
