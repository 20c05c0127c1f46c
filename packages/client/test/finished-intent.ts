import { encodeEvent, type IntentEvent } from '@durable-api/protocol';
import {
  createIntent,
  memoryStore,
  transition,
  type Command,
  type MemoryData,
  type StoredEvent,
} from '@durable-api/core';

/** Stores an intent of `operation` that is COMPLETED with `eventCount` events. Returns its id. */
export async function storeFinished(
  data: MemoryData,
  operation: string,
  eventCount: number,
): Promise<string> {
  const now = Date.now();
  const id = `0193aaaa-0000-7000-8000-${String(eventCount).padStart(12, '0')}`;
  const intent = { id, operation, owner: '', deadlineAt: null, idempotency: null };
  let { record, events } = createIntent(intent, now, { holder: 'seeder', until: now + 60_000 });
  const all: IntentEvent[] = [...events];
  const apply = (command: Command): void => {
    const next = transition(record, command, now);
    if (!next.ok) throw new Error(next.reason);
    record = next.record;
    all.push(...next.events);
  };
  while (record.seq < eventCount - 1) {
    apply({ type: 'progress', progress: { fraction: record.seq / eventCount } });
  }
  const body = Buffer.from('"done"');
  const headers = { 'content-type': 'application/json' };
  const result = { status: 200, headers, body };
  apply({ type: 'complete', result });
  const store = memoryStore(data);
  await store.migrate();
  const stored = all.map((event): StoredEvent => {
    return { seq: event.seq, type: event.type, json: encodeEvent(id, event) };
  });
  const first = createIntent(intent, now, null);
  await store.submit([{ record: first.record, events: stored.slice(0, 2), input: '{"rest":{}}' }]);
  const expected = { seq: 2, lease: null };
  await store.commit([{ expected, record, events: stored.slice(2), result }]);
  return id;
}
