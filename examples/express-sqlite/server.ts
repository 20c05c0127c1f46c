import { buildPage, storeFromUrl, tenantOf } from '@durable-api/example-reports';
import { durableApi } from '@durable-api/express';
import express, { type RequestHandler } from 'express';
import { generateReport } from './generate-report.ts';
import { generateYear } from './generate-year.ts';
import { publishArticle } from './publish-article.ts';

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
app.use('/reports/year', express.json(), api.operation(generateYear));
app.use('/articles/publish', express.json(), api.operation(publishArticle));
app.use(
  '/private/reports',
  requireTenant,
  express.json(),
  api.operation(generateReport, {
    name: 'privateReport',
    // One at a time for each tenant, over all processes.
    key: (req) => tenantOf(req.headers.authorization) ?? '',
    concurrency: { perKey: 1 },
  }),
);
app.use(express.static(await buildPage()));

const server = app.listen(port, '127.0.0.1', () => {
  console.log(`The report service listens on http://127.0.0.1:${port}`);
});

process.once('SIGTERM', () => {
  server.close();
  void api.stop().then(() => process.exit(0));
});
