import { setTimeout as delay } from 'node:timers/promises';
import { decodeInput, DurableApi, type Store } from '@durable-api/core';
import { times } from '../drains/drain.ts';
import { openStore } from '../servers/open-store.ts';

const MODE = process.env['MODE'] ?? 'idle';
const COUNT = Number(process.env['COUNT'] ?? 0);
/** How long after its fill the intents of `wake` wake. */
const FILL_MS = 30_000;
const IDLE_MS = 10_000;

let asleep = 0;
const woken: number[] = [];

/** Counts what has gone to sleep. */
function counting(store: Store): Store {
  return Object.assign(Object.create(store), {
    async commit(batch: Parameters<Store['commit']>[0]) {
      const results = await store.commit(batch);
      asleep += batch.filter(({ record }) => record.status === 'WAITING').length;
      return results;
    },
  });
}

async function until(isTrue: () => boolean): Promise<void> {
  while (!isTrue()) await delay(50);
}

/** Memory after all garbage has gone, in bytes. */
async function memory(): Promise<{ heap: number; rss: number }> {
  for (let i = 0; i < 3; i++) {
    globalThis.gc?.();
    await delay(200);
  }
  const { heapUsed, external, rss } = process.memoryUsage();
  return { heap: heapUsed + external, rss };
}

async function idle(): Promise<Record<string, number>> {
  await delay(1_000);
  const before = process.cpuUsage();
  await delay(IDLE_MS);
  const { user, system } = process.cpuUsage(before);
  const { heap, rss } = await memory();
  return { cpuMsPerSecond: (user + system) / IDLE_MS, heap, rss };
}

const api = new DurableApi({ store: counting(openStore()), defaults: { deadlineMs: null } });
api.declare({
  name: 'sleeper',
  run: async (input, { sleep, attempt }) => {
    if (attempt > 1) woken.push(Date.now());
    await sleep(new Date(Number(decodeInput(input).body)));
    return { status: 204, headers: {}, body: Buffer.alloc(0) };
  },
});
await api.ready();
const fresh = await memory();
const wakeAt = Date.now() + (MODE === 'wake' ? FILL_MS : 86_400_000);
if (MODE !== 'idle') {
  await times(COUNT, () => api.intents.submit('sleeper', { body: wakeAt }));
  await until(() => asleep >= COUNT);
}
const figures: Record<string, number> = {};
if (MODE === 'fill') {
  const { heap } = await memory();
  figures['heapBytesEach'] = (heap - fresh.heap) / COUNT;
} else if (MODE === 'idle') Object.assign(figures, await idle());
else {
  figures['asleepMsBefore'] = wakeAt - Date.now();
  await until(() => woken.length >= COUNT);
  figures['lastStartMs'] = Math.max(...woken) - wakeAt;
  figures['firstStartMs'] = Math.min(...woken) - wakeAt;
}
await api.stop();
console.log(JSON.stringify(figures));
