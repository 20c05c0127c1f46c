import { createServer, type ServerResponse } from 'node:http';
import { setTimeout as delay } from 'node:timers/promises';
import { durable, durableApi } from '@durable-api/express';
import { sqliteStore } from '@durable-api/store-sqlite';
import express, { type Request, type Response } from 'express';
import { listen } from './listen.ts';

const { MODE = 'durable', STORE_FILE = '', SECONDS = '15' } = process.env;
const MANY = 100_000;
const PER_SECOND = 100;

/** Puts out chunks like a language model does, each with the instant at which it was made. */
async function tokens(put: (chunk: string) => void): Promise<void> {
  const startedAt = performance.now();
  for (let i = 0; i < Number(SECONDS) * PER_SECOND; i++) {
    put(`@${performance.timeOrigin + performance.now()}@ token `);
    await delay(Math.max(0, startedAt + ((i + 1) * 1_000) / PER_SECOND - performance.now()));
  }
}

/** The CPU time of this process so far, in ms. */
function cpuMs(): string {
  const { user, system } = process.cpuUsage();
  return String((user + system) / 1_000);
}

/** The raw peer: SSE as one writes it by hand on `node:http`, without a store or a replay. */
function rawServer(): void {
  const observers = new Set<ServerResponse>();
  let seq = 0;
  const put = (text: string): void => {
    const data = JSON.stringify({ intent_id: 'x'.repeat(36), seq: ++seq, details: { text } });
    const bytes = Buffer.from(`id: ${seq}\nevent: intent.output\ndata: ${data}\n\n`);
    for (const observer of observers) observer.write(bytes);
  };
  const server = createServer((req, res) => {
    if (req.url === '/observe') {
      res.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-cache' });
      res.write('retry: 2000\n: ok\n\n');
      observers.add(res);
      res.on('close', () => observers.delete(res));
    } else if (req.url === '/emit') void tokens(put).then(() => res.end());
    else res.end(cpuMs());
  });
  listen(server);
}

/** The same on the output of an intent, which is stored. */
function durableServer(): void {
  const api = durableApi({
    store: sqliteStore(STORE_FILE),
    limits: { maxObservers: MANY, maxObserversPerIntent: MANY },
  });
  const begin = Promise.withResolvers<void>();
  const done = Promise.withResolvers<void>();
  async function chat(req: Request, res: Response): Promise<void> {
    const { emit } = durable(req);
    await begin.promise;
    await tokens((chunk) => void emit(chunk));
    done.resolve();
    res.end();
  }
  const app = express();
  app.get('/emit', async (_req, res) => {
    begin.resolve();
    await done.promise;
    res.end();
  });
  app.get('/cpu', (_req, res) => {
    res.end(cpuMs());
  });
  app.use('/op', express.json(), api.operation(chat));
  listen(createServer(app));
}

if (MODE === 'raw') rawServer();
else durableServer();
