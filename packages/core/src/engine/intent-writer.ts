import type { IntentEvent } from '@durable-api/protocol';
import type { Clock } from '../clock.ts';
import type { Command } from '../state/command.ts';
import type { IntentRecord, StoredResponse } from '../state/intent.ts';
import { transition } from '../state/transition.ts';
import type { CommitRequest, StoredEvent } from '../store/store.ts';
import { encodeStored } from './encode-stored.ts';
import type { Committed, GroupCommit } from './group-commit.ts';

/** How a command ended: written, refused by the state machine, or fenced off. */
export type WriteOutcome =
  | { readonly outcome: 'written'; readonly record: IntentRecord }
  | { readonly outcome: 'refused'; readonly record: IntentRecord }
  | { readonly outcome: 'stale' }
  | { readonly outcome: 'missing' };

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
}

interface PendingCommand {
  readonly command: Command;
  readonly settle: (outcome: WriteOutcome) => void;
}

interface Attempted extends WrittenChange {
  readonly commands: readonly PendingCommand[];
  readonly refused: readonly PendingCommand[];
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

  constructor(setup: IntentWriterSetup) {
    this.#setup = setup;
    this.#record = setup.record;
  }

  /** The record as last written or read. */
  get record(): IntentRecord {
    return this.#record;
  }

  /**
   * Applies `command`. Rejects when the store failed: then the outcome is unknown, and giving the
   * same command again is safe.
   */
  apply(command: Command): Promise<WriteOutcome> {
    return new Promise<WriteOutcome>((resolve, reject) => {
      this.#pending.push({ command, settle: resolve });
      this.#writing ??= this.#write();
      this.#writing.catch(reject);
    });
  }

  async #write(): Promise<void> {
    try {
      while (this.#pending.length > 0) {
        const made: { attempted?: Attempted } = {};
        const result = await this.#setup.commits.commit(() => {
          const attempted = (made.attempted = this.#attempt());
          return attempted.events.length === 0 ? null : this.#request(attempted);
        });
        if (made.attempted !== undefined) this.#settle(made.attempted, result);
      }
    } finally {
      this.#pending = [];
      this.#writing = null;
    }
  }

  #attempt(): Attempted {
    let record = this.#record;
    const events: IntentEvent[] = [];
    const commands: PendingCommand[] = [];
    const refused: PendingCommand[] = [];
    let result: StoredResponse | undefined;
    for (const pending of this.#pending) {
      const next = transition(record, pending.command, this.#setup.clock.now());
      if (!next.ok) {
        refused.push(pending);
        continue;
      }
      commands.push(pending);
      record = next.record;
      events.push(...next.events);
      if (pending.command.type === 'complete' && record.status === 'COMPLETED') {
        result = pending.command.result;
      }
    }
    this.#pending = [];
    const stored = encodeStored(record.id, events);
    return { record, events: stored, ...(result && { result }), commands, refused };
  }

  #request(attempted: Attempted): CommitRequest {
    const { record, events, result } = attempted;
    const expected = { seq: this.#record.seq, lease: this.#setup.lease };
    return { expected, record, events, ...(result && { result }) };
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
    const written = { outcome: 'written', record: attempted.record } as const;
    for (const { settle } of attempted.commands) settle(written);
  }
}
