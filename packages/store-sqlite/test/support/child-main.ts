import { sqliteStore } from '@durable-api/store-sqlite';
import type { Order, Report } from './child-messages.ts';
import { submitRequest } from './intents.ts';

/** How many submits a flood has under way. */
const FLOOD_WIDTH = 16;

const [, , path = ''] = process.argv;
const store = sqliteStore(path);
const say = (report: Report): void => {
  process.send?.(report);
};

async function obey(order: Order): Promise<unknown> {
  switch (order.do) {
    case 'submit':
      return store.submit(order.batch);
    case 'claim':
      return store.claim(order.request);
    case 'renew':
      return store.renew(order.request);
    case 'close':
      return store.close();
    case 'watch':
      return void store.watch(({ ids }) => say({ says: 'hint', ids }));
    case 'flood':
      return void Promise.all(Array.from({ length: FLOOD_WIDTH }, flood));
    case 'block': {
      say({ says: 'blocking' });
      const until = performance.now() + order.ms;
      while (performance.now() < until);
      return null;
    }
  }
}

async function flood(): Promise<never> {
  for (;;) {
    const request = submitRequest();
    await store.submit([request]);
    say({ says: 'stored', id: request.record.id });
  }
}

process.on('message', ({ id, order }: { id: number; order: Order }) => {
  obey(order).then(
    (result) => say({ says: 'done', id, result: result ?? null }),
    (error: unknown) => say({ says: 'failed', id, message: String(error) }),
  );
});
await store.migrate();
say({ says: 'ready' });
