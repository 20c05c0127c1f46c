import { createServer, type ServerResponse } from 'node:http';
import { durable, durableApi } from '@durable-api/express';
import { sqliteStore } from '@durable-api/store-sqlite';
import express, { type Request, type Response } from 'express';
import { listen } from './listen.ts';

const { MODE = 'durable', STORE_FILE = '' } = process.env;
const MANY = 100_000;

/** The raw peer: what one writes by hand on `node:http`, without replay, limits or a store. */
function rawServer(): void {
  const observers = new Set<ServerResponse>();
  let seq = 0;
  const server = createServer((req, res) => {
    if (req.url === '/observe') {
      res.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-cache' });
      res.write('retry: 2000\n: ok\n\n');
      observers.add(res);
      res.on('close', () => observers.delete(res));
    } else if (req.url === '/emit') {
      const data = JSON.stringify({ intent_id: 'x'.repeat(36), seq: ++seq, fraction: 0.5 });
      const bytes = Buffer.from(`id: ${seq}\nevent: intent.progress\ndata: ${data}\n\n`);
      for (const observer of observers) observer.write(bytes);
      res.end();
    } else res.end(String(rss()));
  });
  listen(server);
}

/** The same observers on an intent whose handler goes on until the process ends. */
function durableServer(): void {
  const api = durableApi({
    store: sqliteStore(STORE_FILE),
    limits: { maxObservers: MANY, maxObserversPerIntent: MANY },
  });
  let emit = (): void => {};
  function endless(req: Request, res: Response): void {
    const { progress, signal } = durable(req);
    emit = () => progress(0.5);
    signal.addEventListener('abort', () => res.end());
  }
  const app = express();
  app.get('/emit', (_req, res) => {
    emit();
    res.end();
  });
  app.get('/rss', (_req, res) => {
    res.end(String(rss()));
  });
  app.use('/op', express.json(), api.operation(endless));
  listen(createServer(app));
}

function rss(): number {
  globalThis.gc?.();
  return process.memoryUsage.rss();
}

if (MODE === 'raw') rawServer();
else durableServer();
