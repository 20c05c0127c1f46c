import { createServer } from 'node:http';
import { DurableApi } from '@durable-api/core';
import { gateway } from '@durable-api/gateway';
import { sqliteStore } from '@durable-api/store-sqlite';
import { listen } from './listen.ts';

const { STORE_FILE = '' } = process.env;
const api = new DurableApi({ store: sqliteStore(STORE_FILE) });
// Nobody takes what is sent, and a second delivery would be counted as load of the first.
const serve = gateway(api, { open: true, redeliverMs: 600_000 });
await api.ready();

/** A gateway, and beside it the memory of its process after garbage was collected. */
const server = createServer((req, res) => {
  if (req.url !== '/rss') return serve(req, res);
  globalThis.gc?.();
  res.end(String(process.memoryUsage.rss()));
});
listen(server);
