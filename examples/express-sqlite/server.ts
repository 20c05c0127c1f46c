import { fileURLToPath } from 'node:url';
import { pageFolder, storeFromUrl, tenantOf } from '@durable-api/example-reports';
import { durableApi } from '@durable-api/express';
import express, { type RequestHandler } from 'express';
import { generateReport } from './generate-report.ts';

const port = Number(process.env['PORT'] ?? 3000);
const api = durableApi({
  store: storeFromUrl(process.env['STORE'] ?? 'sqlite:./operations.db'),
  identify: (req) => tenantOf(req.headers.authorization) ?? 'public',
});

const requireTenant: RequestHandler = (req, res, next) => {
  if (tenantOf(req.headers.authorization) !== null) next();
  else res.status(401).json({ error: 'Send Authorization: Bearer tenant-a, or tenant-b.' });
};

const app = express();
app.use('/reports/generate', express.json(), api.operation(generateReport));
app.use(
  '/private/reports',
  requireTenant,
  express.json(),
  api.operation(generateReport, { name: 'privateReport' }),
);
app.use(express.static(fileURLToPath(pageFolder)));

const server = app.listen(port, '127.0.0.1', () => {
  console.log(`The report service listens on http://127.0.0.1:${port}`);
});

process.once('SIGTERM', () => {
  server.close();
  void api.stop().then(() => process.exit(0));
});
