/** Throughput of the store alone: gathered submits, and draining what is stored. Not part of the package. */
import {
  createIntent,
  transition,
  type CommitRequest,
  type IntentRecord,
  type SubmitRequest,
} from '@durable-api/core';
import { encodeEvent, type IntentEvent } from '@durable-api/protocol';
import { Pool } from 'pg';
import { newId } from '../../core/src/engine/new-id.ts';
import { GroupCommit } from '../../core/src/engine/group-commit.ts';
import { postgresStore } from '../src/index.ts';

const connectionString = process.env['DATABASE_URL'] ?? 'postgres://root@127.0.0.1:5432/test';
const schema = 'durable_bench';
const admin = new Pool({ connectionString, max: 1 });
await admin.query(`DROP SCHEMA IF EXISTS ${schema} CASCADE`);
import { measure } from './cpu.ts';
import { explainingPool } from './explain.ts';
const store = process.env['EXPLAIN']
  ? postgresStore({ pool: explainingPool(Number(process.env['EXPLAIN'])), schema })
  : postgresStore({ connectionString, schema });
await store.migrate();
if (process.argv.includes('watch')) store.watch(() => {});

const stored = (
  id: string,
  events: readonly IntentEvent[],
): { seq: number; type: string; json: string }[] =>
  events.map((event) => ({ seq: event.seq, type: event.type, json: encodeEvent(id, event) }));

function request(eager: boolean): SubmitRequest {
  const id = newId(Date.now());
  const now = Date.now();
  const { record, events } = createIntent(
    { id, operation: 'report', owner: '', deadlineAt: now + 86_400_000, idempotency: null },
    now,
    eager ? { holder: 'bench', until: now + 15_000 } : null,
  );
  return {
    record,
    events: stored(id, events),
    input: '{"body":{"quarter":"Q3"},"rest":{"params":{},"query":{}}}',
  };
}

function complete(record: IntentRecord, fromStart: boolean): CommitRequest {
  const now = Date.now();
  const events: IntentEvent[] = [];
  let next = record;
  const result = {
    status: 200,
    headers: { 'content-type': 'application/json' },
    body: Buffer.from('{"ok":true}'),
  };
  for (const command of [
    ...(fromStart ? [{ type: 'start' } as const] : []),
    { type: 'complete', result } as const,
  ]) {
    const t = transition(next, command, now);
    if (!t.ok) throw new Error(t.reason);
    events.push(...t.events);
    next = t.record;
  }
  return {
    expected: { seq: record.seq, lease: record.lease },
    record: next,
    events: stored(record.id, events),
    result,
  };
}

for (const clients of [1, 64, 128]) {
  const commits = new GroupCommit(store);
  const total = clients === 1 ? 2_000 : 60_000;
  let left = total;
  await measure(`submit, ${clients} at once`, total, async () => {
    await Promise.all(
      Array.from({ length: clients }, async () => {
        while (left-- > 0) await commits.submit(request(false));
      }),
    );
  });
}

await admin.query(`TRUNCATE ${schema}.intent, ${schema}.live, ${schema}.log, ${schema}.ended`);
for (let i = 0; i < 20; i += 1)
  await store.submit(Array.from({ length: 1_000 }, () => request(false)));
for (const lanes of [1, 2]) {
  for (let i = 0; i < 20; i += 1)
    await store.submit(Array.from({ length: 1_000 }, () => request(false)));
  await measure(`drain, ${lanes} lanes`, lanes === 1 ? 40_000 : 20_000, async () => {
    await Promise.all(
      Array.from({ length: lanes }, async () => {
        for (;;) {
          const { claimed } = await store.claim({
            now: 0,
            holder: 'bench',
            leaseMs: 15_000,
            operations: ['report'],
            limit: 256,
          });
          if (claimed.length === 0) break;
          const results = await store.commit(claimed.map(({ record }) => complete(record, true)));
          if (results.some(({ outcome }) => outcome !== 'ok')) throw new Error('not ok');
        }
      }),
    );
  });
}
await measure('submit to completed, eager, 128 at once', 40_000, async () => {
  const commits = new GroupCommit(store);
  let left = 40_000;
  await Promise.all(
    Array.from({ length: 128 }, async () => {
      while (left-- > 0) {
        const r = request(true);
        await commits.submit(r);
        const result = await commits.commit(() => complete(r.record, false));
        if (result?.outcome !== 'ok') throw new Error('not ok');
      }
    }),
  );
});
await store.close();
await admin.query(`DROP SCHEMA ${schema} CASCADE`);
await admin.end();
