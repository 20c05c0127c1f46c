import { createIntent, DurableApi, memoryData, memoryStore } from '@durable-api/core';
import { describe, expect, it, onTestFinished } from 'vitest';
import { Mailboxes } from '../src/mailboxes/mailboxes.ts';

/** After so many entries a part of a mailbox ends. */
const PART_SIZE = 2_000;
const NAME = 'agent:acme/production/worker';

function open(data = memoryData()) {
  const api = new DurableApi({ store: memoryStore(data) });
  onTestFinished(() => api.stop({ graceMs: 0 }));
  const { ledger } = api;
  /** Stores an intent that nobody works on. */
  const submit = async (): Promise<string> => {
    const intent = { operation: 'any', owner: '', deadlineAt: null, idempotency: null };
    const id = ledger.newId();
    const { record } = createIntent({ ...intent, id }, ledger.now(), null);
    const events = [1, 2].map((seq) => ({ seq, type: 'intent.created', json: '{}' }));
    await ledger.submit({ record, events, input: '{"rest":{}}' });
    return id;
  };
  /** Ends it. */
  const end = async (id: string): Promise<void> => {
    const record = data.entries.get(id)?.record;
    if (record === undefined) throw new Error('The intent is not there.');
    const seq = record.seq + 1;
    const ended = { ...record, seq, status: 'COMPLETED', dueAt: null, holder: null } as const;
    const events = [{ seq, type: 'intent.completed', json: '{}' }];
    await ledger.commit({ expected: { seq: record.seq, lease: null }, record: ended, events });
  };
  const parts = () =>
    [...data.entries.values()]
      .map(({ record }) => record)
      .filter(({ operation }) => operation === 'axp.mailbox');
  return { data, ledger, submit, end, parts, mailbox: new Mailboxes(ledger).get(NAME) };
}

type Bed = ReturnType<typeof open>;

/** Adds so many entries of one intent, which count as one: the last. */
async function fill({ mailbox }: Bed, intentId: string, count: number): Promise<number[]> {
  const attempts = Array.from({ length: count }, (_, i) => i + 1);
  return Promise.all(attempts.map((attempt) => mailbox.add({ intentId, attempt })));
}

describe('a mailbox of more entries than a part has', () => {
  it('goes on in another part with what has not ended, under the cursors that it had', async () => {
    const bed = open();
    const { mailbox } = bed;
    const [open1, done, busy] = [await bed.submit(), await bed.submit(), await bed.submit()];
    const first = await mailbox.add({ intentId: open1, attempt: 1 });
    await mailbox.add({ intentId: done, attempt: 1 });
    await bed.end(done);
    const cursors = await fill(bed, busy, PART_SIZE + 500);
    const rising = cursors.every((cursor, i) => i === 0 || cursor > (cursors[i - 1] ?? Infinity));
    expect(rising).toBe(true);
    expect(cursors.every((cursor) => cursor % 2 === 0)).toBe(true);
    expect(bed.parts().map(({ status }) => status)).toEqual([
      'COMPLETED',
      expect.not.stringMatching('COMPLETED'),
    ]);
    const last = cursors.at(-1) ?? 0;
    expect(await mailbox.lastCursor()).toBe(last);
    const attempt = PART_SIZE + 500;
    expect(await mailbox.after(0)).toEqual([
      { cursor: first, intentId: open1, attempt: 1 },
      { cursor: last, intentId: busy, attempt },
    ]);
    expect(await mailbox.after(first)).toEqual([{ cursor: last, intentId: busy, attempt }]);
    expect(await mailbox.after(last)).toEqual([]);
  });

  it('is the same in another process, and after a restart', async () => {
    const bed = open();
    const id = await bed.submit();
    await fill(bed, id, PART_SIZE - 3);
    const other = open(bed.data);
    expect(await other.mailbox.lastCursor()).toBe(await bed.mailbox.lastCursor());
    // Both write while the part ends under one of them.
    const both = await Promise.all([fill(bed, id, 20), fill(other, id, 20)]);
    const cursors = both.flat();
    expect(new Set(cursors).size).toBe(40);
    expect(bed.parts()).toHaveLength(2);
    const restarted = open(bed.data);
    const last = Math.max(...cursors);
    expect(await restarted.mailbox.lastCursor()).toBe(last);
    expect((await restarted.mailbox.after(0)).map(({ cursor }) => cursor)).toEqual([last]);
  });

  it('wakes who waits for the next entry, whatever part that is in', async () => {
    const bed = open();
    const id = await bed.submit();
    const [cursor = 0] = (await fill(bed, id, PART_SIZE - 2)).slice(-1);
    const listener = open(bed.data);
    expect(await listener.mailbox.lastCursor()).toBe(cursor);
    let seen = cursor;
    for (let i = 0; i < 6; i += 1) {
      const wait = await bed.mailbox.waitAfter(seen, 20_000);
      const added = await bed.mailbox.add({ intentId: id, attempt: PART_SIZE + i });
      await wait.change;
      const [entry] = await bed.mailbox.after(seen);
      expect(entry?.cursor).toBe(added);
      seen = added;
    }
    expect(bed.parts()).toHaveLength(2);
    await listener.mailbox.refresh();
    expect((await listener.mailbox.after(cursor)).map((one) => one.cursor)).toEqual([seen]);
  });
});
