import { DurableApi, type Store } from '@durable-api/core';
import { openStore } from '../servers/open-store.ts';
import { measure, times } from './drain.ts';

const NAME = 'op';
const response = { status: 200, headers: {}, body: new TextEncoder().encode('{"ok":true}') };

/** Calls `completed` when ends are stored: a handler that has returned proves nothing yet. */
function telling(store: Store, completed: (count: number) => void): Store {
  return Object.assign(Object.create(store), {
    async commit(batch: Parameters<Store['commit']>[0]) {
      const results = await store.commit(batch);
      completed(batch.filter(({ record }) => record.status === 'COMPLETED').length);
      return results;
    },
  });
}

await measure({
  async fill(count) {
    const api = new DurableApi({ store: openStore(), worker: false });
    api.declare({ name: NAME, run: async () => response });
    await api.ready();
    await times(count, () => api.intents.submit(NAME, { body: { quarter: 'Q3' } }));
    await api.stop();
  },
  async start(completed) {
    const concurrency = Number(process.env['CONCURRENCY'] ?? 500);
    const api = new DurableApi({ store: telling(openStore(), completed), concurrency });
    api.declare({ name: NAME, run: async () => response });
    return () => api.stop();
  },
});
