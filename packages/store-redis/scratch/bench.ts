import { redisStore } from '@durable-api/store-redis';
import { createIntent, transition } from '@durable-api/core';
import { encodeStored } from '../../core/src/engine/encode-stored.ts';
import { newId } from '../../core/src/engine/new-id.ts';
import { GroupCommit } from '../../core/src/engine/group-commit.ts';
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { Redis } from 'ioredis';
const [fsync = 'everysec', shards = '1', concurrency = '128', keyed = ''] = process.argv.slice(2);
const dir = mkdtempSync('/tmp/rb-');
const port = 7500 + Math.floor(Math.random() * 400);
const server = spawn(
  'redis-server',
  [
    '--port',
    String(port),
    '--dir',
    dir,
    '--save',
    '',
    '--appendonly',
    'yes',
    '--appendfsync',
    fsync,
  ],
  { stdio: 'ignore' },
);
await new Promise((r) => setTimeout(r, 500));
const url = `redis://127.0.0.1:${port}`;
const store = redisStore({ url, shards: Number(shards), prefix: 'bench' });
await store.migrate();
const watching = process.env.WATCH ? redisStore({ url, prefix: 'bench' }) : null;
if (watching) {
  await watching.migrate();
  let n = 0;
  watching.watch(({ ids }) => {
    n += ids?.length ?? 0;
  });
  process.on('exit', () => console.log('hinted ids', n));
}
const commits = new GroupCommit(store);
function request(i: number) {
  const now = Date.now();
  const id = newId(now);
  const { record, events } = createIntent(
    {
      id,
      operation: 'reports.generate',
      owner: '',
      deadlineAt: now + 864e5,
      idempotency: keyed ? { key: `k${id}`, fingerprint: 'f'.repeat(43) } : null,
    },
    now,
    null,
  );
  return {
    record,
    events: encodeStored(id, events),
    input: '{"body":{"quarter":"Q3"},"params":{},"query":{},"headers":{}}',
  };
}
async function submits(total: number) {
  let n = 0;
  await Promise.all(
    Array.from({ length: Number(concurrency) }, async () => {
      while (n < total) {
        n += 1;
        await commits.submit(request(n));
      }
    }),
  );
}
await submits(5000);
const result = {
  status: 200,
  headers: { 'content-type': 'application/json' },
  body: Buffer.from('{"ok":true}'),
};
async function drain(parallel: number) {
  let count = 0;
  let failed = 0;
  const claimNext = () =>
    store.claim({
      now: 0,
      holder: 'h',
      leaseMs: 15000,
      operations: ['reports.generate'],
      limit: 256,
    });
  let next = claimNext();
  for (;;) {
    const { claimed } = await next;
    if (claimed.length === 0) break;
    next = claimNext();
    const batch = claimed.map(({ record }) => {
      const now = Date.now();
      const a = transition(record, { type: 'start' }, now);
      if (!a.ok) throw new Error(a.reason);
      const b = transition(a.record, { type: 'complete', result }, now);
      if (!b.ok) throw new Error(b.reason);
      return {
        expected: { seq: record.seq, lease: record.lease },
        record: b.record,
        events: encodeStored(record.id, [...a.events, ...b.events]),
        result,
      };
    });
    const r = await store.commit(batch);
    failed += r.filter((x) => x.outcome !== 'ok').length;
    count += batch.length;
  }
  return { count, failed };
}
await drain(1);
const cpu0 = process.cpuUsage();
const probe = new Redis(port);
const rcpu = async () => {
  const i = await probe.info('cpu');
  return Number(/used_cpu_user:(.*)/.exec(i)![1]) + Number(/used_cpu_sys:(.*)/.exec(i)![1]);
};
const r0 = await rcpu();
let t = performance.now();
await submits(40000);
let dt = (performance.now() - t) / 1000;
const c = process.cpuUsage(cpu0);
console.log(
  `submit ${fsync} shards=${shards} conc=${concurrency} ${keyed}: ${Math.round(40000 / dt)}/s  node ${((c.user + c.system) / 1e6 / dt) | 0}`,
  `node cpu/op ${((c.user + c.system) / 40000).toFixed(1)}us redis cpu/op ${((((await rcpu()) - r0) * 1e6) / 40000).toFixed(1)}us`,
);
const r1 = await rcpu();
const cpu1 = process.cpuUsage();
t = performance.now();
const { count, failed } = await drain(1);
dt = (performance.now() - t) / 1000;
const c1 = process.cpuUsage(cpu1);
console.log(
  `drain ${count} (${failed} failed): ${Math.round(count / dt)}/s`,
  `node cpu/op ${((c1.user + c1.system) / count).toFixed(1)}us redis cpu/op ${((((await rcpu()) - r1) * 1e6) / count).toFixed(1)}us`,
);
console.log(
  (await probe.info('commandstats'))
    .split('\r\n')
    .filter((l) => /evalsha|hset|zadd|hget|hmget|exists|spublish|zrem|zrange|hincr|time/.test(l))
    .map((l) => l.replace(/,rejected.*/, ''))
    .join('\n'),
);
console.log(
  'memory per intent',
  (Number(/used_memory:(\d+)/.exec(await probe.info('memory'))![1]) / 85000).toFixed(0),
);
probe.disconnect();
await watching?.close();
await store.close();
server.kill('SIGKILL');
rmSync(dir, { recursive: true, force: true });
