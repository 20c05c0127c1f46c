import { createServer } from 'node:http';
import type { Store } from '@durable-api/core';
import { durableApi } from '@durable-api/express';
import express, { type Request, type Response } from 'express';
import { equalBody, equalHeaders, equalStatus } from './equal-answer.ts';
import { listen } from './listen.ts';
import { openStore } from './open-store.ts';

const { MODE = 'durable', WORKER = '1' } = process.env;

/** The route that is benched: bare, and as a durable operation. */
function answer(req: Request, res: Response): void {
  res.json({ ok: true, quarter: req.body.quarter });
}

const app = express();
let completedCount = 0;
let storeCallCount = 0;

/** Counts every call, and the intents that are completed. */
function counting(store: Store): Store {
  const counted = new Proxy(store, {
    get(target, key) {
      const value: unknown = Reflect.get(target, key);
      if (typeof value !== 'function') return value;
      return (...args: unknown[]): unknown => {
        storeCallCount += 1;
        return Reflect.apply(value, target, args);
      };
    },
  });
  return Object.assign(Object.create(counted), {
    async commit(batch: Parameters<Store['commit']>[0]) {
      const results = await counted.commit(batch);
      for (const { record } of batch) if (record.status === 'COMPLETED') completedCount += 1;
      return results;
    },
  });
}

if (MODE === 'bare') app.post('/op', express.json(), answer);
else if (MODE === 'equal') {
  app.use('/op', express.json(), (_req, res) => {
    res.status(equalStatus).set(equalHeaders).end(equalBody);
  });
} else {
  const store = counting(openStore());
  const api = durableApi({ store, worker: WORKER === '1' });
  app.use('/op', express.json(), api.operation(answer));
}
app.get('/completed', (_req, res) => {
  res.json(completedCount);
});
app.get('/store-calls', (_req, res) => {
  res.json(storeCallCount);
});
listen(createServer(app));
