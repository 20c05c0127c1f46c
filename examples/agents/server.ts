import { durableApi } from '@durable-api/express';
import { gateway } from '@durable-api/gateway';
import { sqliteStore } from '@durable-api/store-sqlite';
import express from 'express';

const port = Number(process.env['PORT'] ?? 8100);
const api = durableApi({ store: sqliteStore(process.env['DATABASE'] ?? './agents.db') });
const adminKey = process.env['ADMIN_KEY'];
const agent = `agent://${process.env['AGENT'] ?? 'acme/production/report-service'}`;

const app = express();
// Without a key anybody may do everything: for a trial on one machine.
app.use(gateway(api, adminKey === undefined ? { open: true } : { adminKeys: [adminKey] }));
// A route of the API, whose worker is one of the agents beside this file.
app.use('/reports', express.json(), api.operation({ name: 'report.generate', agent }));

const server = app.listen(port, '127.0.0.1', () => {
  console.log(`The gateway listens on http://127.0.0.1:${port}`);
});

process.once('SIGTERM', () => {
  server.close();
  void api.stop().then(() => process.exit(0));
});
