import { FOREVER_AT, isTerminal } from '@durable-api/protocol';
import { isAgentAddress } from '../agents/agent-ref.ts';
import type { Agents } from '../agents/agents.ts';
import { openChildren, type StoredChild } from '../handler/child-notes.ts';
import type { IntentRecord } from '../state/intent.ts';
import { createIntent } from '../state/submit.ts';
import type { Found, Store } from '../store/store.ts';
import type { EndNotice } from '../webhooks/notices.ts';
import { encodeStored } from './encode-stored.ts';
import type { GroupCommit } from './group-commit.ts';
import { IntentWriter, type WriteOutcome, type WrittenChange } from './intent-writer.ts';
import type { StoreClock } from './store-clock.ts';

/** Who wants an intent to end, and why. */
export interface CancelWish {
  readonly actor?: string;
  readonly reason?: string;
}

/** What is needed to cancel intents with their children. */
export interface CancellerSetup {
  readonly store: Store;
  readonly commits: GroupCommit;
  readonly clock: StoreClock;
  readonly leaseMs: number;
  readonly agents: Agents;
  readonly onWritten: (change: WrittenChange) => void;
  /** What is done about the end of an intent with this input. */
  readonly noticeOf: (record: IntentRecord, input: string | undefined) => EndNotice | null;
}

/** An intent to cancel, read with its input, which says who is to be told of its end. */
export type Cancelable = Pick<Found, 'record' | 'input'>;

/** How many children are read at once. */
const BATCH = 256;
const REASON = 'The intent that has started it ended.';
/** The input of a child that is canceled before its parent's handler has stored it. */
const NO_INPUT = '{"rest":{}}';

/**
 * Cancels intents. Children are told before their parent ends: whoever dies in between leaves a parent that
 * has not ended, and somebody else begins again.
 */
export class Canceller {
  readonly #setup: CancellerSetup;

  constructor(setup: CancellerSetup) {
    this.#setup = setup;
  }

  /**
   * Cancels an intent, or asks the handler that works on it to stop. Rejects when the store failed; repeating
   * it is safe.
   */
  async cancel(found: Cancelable, wish: CancelWish = {}): Promise<WriteOutcome> {
    let writer = this.#writer(found);
    const { leaseMs, agents, store } = this.#setup;
    for (;;) {
      const before = writer.record;
      // Who was never started has no children.
      const open = before.attempt === 0 ? [] : await this.#openChildren(before.id);
      // Where no gateway is, somebody else has to go on with it, at once.
      const isReached = agents.isHosted || !open.some((child) => isAgentAddress(child.operation));
      const outcome = await writer.apply({
        type: 'requestCancel',
        ...wish,
        ...(open.length === 0 ? { seq: before.seq } : { windDownMs: isReached ? leaseMs : 0 }),
      });
      if (!('record' in outcome)) return outcome;
      const { status, holder, cancelRequestedAt } = outcome.record;
      if (isTerminal(status) || (holder !== null && cancelRequestedAt !== null)) return outcome;
      if (cancelRequestedAt === null) {
        // It is not as it was when its children were looked for, and its input may be another one.
        const [now] = await store.get({ ids: [before.id], include: 'input' });
        if (now === undefined) return { outcome: 'missing' };
        writer = this.#writer(now);
        continue;
      }
      if (!isReached) return outcome;
      await this.#cancelAll(outcome.record, open);
      return writer.apply({ type: 'cancel' });
    }
  }

  /** Cancels the children of an intent that is about to end. */
  async cancelChildrenOf(parent: IntentRecord): Promise<void> {
    await this.#cancelAll(parent, await this.#openChildren(parent.id));
  }

  async #openChildren(id: string): Promise<StoredChild[]> {
    const [found] = await this.#setup.store.get({ ids: [id], include: 'notes' });
    return openChildren(found?.notes ?? []);
  }

  async #cancelAll(parent: IntentRecord, open: readonly StoredChild[]): Promise<void> {
    for (let from = 0; from < open.length; from += BATCH) {
      const some = open.slice(from, from + BATCH);
      const ids = some.map(({ id }) => id);
      const found = await this.#setup.store.get({ ids, include: 'input' });
      await Promise.all(some.map((child, i) => this.#cancelChild(parent, child, found[i])));
    }
  }

  async #cancelChild(
    parent: IntentRecord,
    child: StoredChild,
    found: Found | undefined,
  ): Promise<void> {
    if (isAgentAddress(child.operation)) {
      if (found === undefined || !isTerminal(found.record.status))
        await this.#setup.agents.cancel(parent, child, REASON);
      return;
    }
    const known = found ?? (await this.#storeNever(parent, child));
    if (isTerminal(known.record.status) || known.record.cancelRequestedAt !== null) return;
    await this.cancel(known, { reason: REASON });
  }

  /** Stores a child that its parent's handler may be about to store, so that it finds it canceled. */
  async #storeNever(parent: IntentRecord, { id, operation }: StoredChild): Promise<Cancelable> {
    const { clock, commits, store } = this.#setup;
    const { record, events } = createIntent(
      {
        id,
        operation,
        owner: parent.owner,
        deadlineAt: null,
        idempotency: null,
        parentIntentId: parent.id,
        startAt: FOREVER_AT,
      },
      clock.now(),
      null,
    );
    const stored = encodeStored(id, events);
    const result = await commits.submit({ record, events: stored, input: NO_INPUT });
    if (result.outcome !== 'exists') return { record };
    const [found] = await store.get({ ids: [id], include: 'input' });
    return found ?? result;
  }

  #writer({ record, input }: Cancelable): IntentWriter {
    const { commits, clock, onWritten, noticeOf } = this.#setup;
    const notice = noticeOf(record, input);
    return new IntentWriter({ record, lease: null, commits, clock, onWritten, notice });
  }
}
