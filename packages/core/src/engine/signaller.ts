import { isTerminal } from '@durable-api/protocol';
import type { Clock } from '../clock.ts';
import { pausedOf } from '../handler/paused.ts';
import { bytesOfSignals, signalNote, signalsOf, type StoredSignal } from '../handler/signals.ts';
import type { ResolvedOptions } from '../options.ts';
import type { IntentRecord } from '../state/intent.ts';
import { transition } from '../state/transition.ts';
import type { Found, Store } from '../store/store.ts';
import { encodeStored } from './encode-stored.ts';
import type { GroupCommit } from './group-commit.ts';
import type { WrittenChange } from './intent-writer.ts';

/** A signal on its way to an intent. */
export type Signal = Pick<StoredSignal, 'name' | 'payload' | 'key' | 'fingerprint'> & {
  readonly actor: string | undefined;
};

/** What became of a signal. */
export type SignalOutcome =
  // Only these two have a `seq`.
  | {
      readonly outcome: 'delivered' | 'repeated';
      readonly record: IntentRecord;
      readonly seq: number;
    }
  /** Its idempotency key was another signal's. */
  | { readonly outcome: 'key_reused' }
  | { readonly outcome: 'terminal' | 'full'; readonly record: IntentRecord }
  | { readonly outcome: 'missing' };

/** What a signaller needs and tells. */
export interface SignallerSetup {
  readonly store: Store;
  readonly commits: GroupCommit;
  readonly clock: Clock;
  readonly limits: Pick<ResolvedOptions['limits'], 'maxEventCount' | 'maxSignalBytes'>;
  readonly onWritten: (change: WrittenChange) => void;
}

/** Hands signals to intents, also before anybody waits for them: once per idempotency key. */
export class Signaller {
  readonly #setup: SignallerSetup;

  constructor(setup: SignallerSetup) {
    this.#setup = setup;
  }

  /** Rejects when the store failed: the outcome is unknown then. */
  async deliver(id: string, signal: Signal): Promise<SignalOutcome> {
    for (;;) {
      const [found] = await this.#setup.store.get({ ids: [id], include: 'notes' });
      if (found === undefined) return { outcome: 'missing' };
      const outcome = this.#known(found, signal) ?? (await this.#write(found, signal));
      if (outcome !== null) return outcome;
    }
  }

  #known({ record, notes = [] }: Found, signal: Signal): SignalOutcome | null {
    const { key, fingerprint, payload } = signal;
    const { maxEventCount, maxSignalBytes } = this.#setup.limits;
    const earlier = key === null ? undefined : signalsOf(notes).find((each) => each.key === key);
    if (earlier !== undefined) {
      if (earlier.fingerprint !== fingerprint) return { outcome: 'key_reused' };
      return { outcome: 'repeated', record, seq: earlier.seq };
    }
    if (isTerminal(record.status)) return { outcome: 'terminal', record };
    // What is left belongs to the handler, so that it can still come to an end. And all that an intent has
    // been sent is read together.
    const isFull =
      record.seq >= maxEventCount / 2 ||
      bytesOfSignals(notes) + Buffer.byteLength(JSON.stringify(payload)) > maxSignalBytes;
    return isFull ? { outcome: 'full', record } : null;
  }

  /** Null when the intent has moved on, so that all has to be looked at again. */
  async #write({ record, notes = [] }: Found, signal: Signal): Promise<SignalOutcome | null> {
    const { commits, clock, onWritten } = this.#setup;
    const { name, payload, key, fingerprint, actor } = signal;
    const paused = pausedOf(notes, record.attempt);
    const wakes = paused?.waits.some((wait) => wait.name === name) === true;
    const command = { type: 'signal', wakes, actor, details: { name } } as const;
    const next = transition(record, command, clock.now());
    if (!next.ok) return { outcome: 'terminal', record };
    const { seq, updatedAt: at } = next.record;
    const events = encodeStored(record.id, next.events);
    const result = await commits.commit(() => ({
      expected: { seq: record.seq, lease: null },
      record: next.record,
      events,
      notes: [signalNote({ seq, name, payload, at, key, fingerprint })],
    }));
    if (result?.outcome === 'missing') return { outcome: 'missing' };
    if (result?.outcome !== 'ok') return null;
    onWritten({ record: next.record, events });
    return { outcome: 'delivered', record: next.record, seq };
  }
}
