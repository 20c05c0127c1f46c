import type { EventType } from '@durable-api/protocol';
import { encodeStored } from '../../src/engine/encode-stored.ts';
import type { IntentRecord } from '../../src/state/intent.ts';
import { createIntent } from '../../src/state/submit.ts';
import { memoryStore, type MemoryData } from '../../src/store/memory-store.ts';
import type { StoredEvent } from '../../src/store/store.ts';

/** An intent whose events a test appends, as the process that works on it would. */
export class IntentLog {
  readonly id = '01890000-0000-7000-8000-000000000001';
  readonly #data: MemoryData;
  readonly #now: () => number;

  constructor(data: MemoryData, now: () => number) {
    this.#data = data;
    this.#now = now;
  }

  get record(): IntentRecord {
    const entry = this.#data.entries.get(this.id);
    if (entry === undefined) throw new Error('The intent is not stored.');
    return entry.record;
  }

  async submit(): Promise<void> {
    const fresh = { operation: 'o', owner: '', deadlineAt: null, idempotency: null };
    const { record, events } = createIntent({ id: this.id, ...fresh }, this.#now(), null);
    const request = { record, events: encodeStored(this.id, events), input: '{}' };
    await memoryStore(this.#data).submit([request]);
  }

  /** Stores `count` events as one commit and returns it. */
  async append(
    count: number,
    isEnd = false,
    text = '',
  ): Promise<{ record: IntentRecord; events: readonly StoredEvent[] }> {
    const { record } = this;
    const events = Array.from({ length: count }, (_, i) => {
      const isLast = isEnd && i === count - 1;
      const type: EventType = isLast ? 'intent.completed' : 'intent.progress';
      const status = isLast ? ('COMPLETED' as const) : ('IN_PROGRESS' as const);
      const seq = record.seq + 1 + i;
      return { seq, type, status, at: this.#now(), details: { n: seq, text } };
    });
    const next: IntentRecord = {
      ...record,
      seq: record.seq + count,
      status: isEnd ? 'COMPLETED' : 'IN_PROGRESS',
      dueAt: isEnd ? null : record.dueAt,
      updatedAt: this.#now(),
    };
    const stored = encodeStored(this.id, events);
    const expected = { seq: record.seq, lease: null };
    await memoryStore(this.#data).commit([{ expected, record: next, events: stored }]);
    return { record: next, events: stored };
  }
}
