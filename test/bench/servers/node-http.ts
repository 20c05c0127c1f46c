import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import {
  DurableApi,
  memoryStore,
  sendReply,
  type CapturedRequest,
  type Operation,
} from '@durable-api/core';
import { sqliteStore } from '@durable-api/store-sqlite';
import { listen } from './listen.ts';

const { MODE = 'durable', STORE = 'sqlite', STORE_FILE = '', WORKER = '1' } = process.env;

/** The route that is benched, by hand: bare, and as an operation of core without a framework. */
function answer(body: unknown): string {
  return JSON.stringify({ ok: true, quarter: Reflect.get(Object(body), 'quarter') });
}

async function readJson(request: IncomingMessage): Promise<unknown> {
  const chunks: Buffer[] = [];
  await new Promise((resolve, reject) => {
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', resolve);
    request.on('error', reject);
  });
  return JSON.parse(Buffer.concat(chunks).toString('utf8'));
}

const headers = { 'content-type': 'application/json; charset=utf-8' };

async function bare(request: IncomingMessage, response: ServerResponse): Promise<void> {
  const body = answer(await readJson(request));
  response.writeHead(200, { ...headers, 'content-length': Buffer.byteLength(body) });
  response.end(body);
}

function durable(): typeof bare {
  const store = STORE === 'memory' ? memoryStore() : sqliteStore(STORE_FILE);
  const api = new DurableApi<IncomingMessage>({ store, worker: WORKER === '1' });
  const run: Operation['run'] = async (input) => {
    const body = answer(Reflect.get(Object(input), 'body'));
    return { status: 200, headers, body: Buffer.from(body) };
  };
  const operation = api.declare({ name: 'op', run });
  return async (request, response) => {
    const body = await readJson(request);
    const capture = (): CapturedRequest => ({
      identity: { method: 'POST', url: request.url ?? '' },
      body,
      rest: {},
    });
    const reply = await api.handle(operation, {
      source: request,
      method: 'POST',
      operationPath: '/op',
      subPath: '/',
      query: '',
      headers: request.headers,
      capture,
      onClose: (listener) => response.on('close', listener),
    });
    if (reply !== null) sendReply(reply, response, 'POST');
  };
}

const handle = MODE === 'bare' ? bare : durable();
listen(createServer((request, response) => void handle(request, response)));
