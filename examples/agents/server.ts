import { durableApi } from '@durable-api/express';
import { gateway } from '@durable-api/gateway';
import { sqliteStore } from '@durable-api/store-sqlite';
import express from 'express';

const port = Number(process.env['PORT'] ?? 8100);
const api = durableApi({ store: sqliteStore(process.env['DATABASE'] ?? './agents.db') });
const adminKey = process.env['ADMIN_KEY'];

const app = express();
// Without a key anybody may do everything: for a trial on one machine.
app.use(gateway(api, adminKey === undefined ? { open: true } : { adminKeys: [adminKey] }));

const server = app.listen(port, '127.0.0.1', () => {
  console.log(`The gateway listens on http://127.0.0.1:${port}`);
});

process.once('SIGTERM', () => {
  server.close();
  void api.stop().then(() => process.exit(0));
});
