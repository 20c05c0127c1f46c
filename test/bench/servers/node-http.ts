import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import {
  DurableApi,
  memoryStore,
  sendReply,
  type CapturedRequest,
  type Operation,
} from '@durable-api/core';
import { sqliteStore } from '@durable-api/store-sqlite';
import { equalBody, equalHeaders, equalStatus } from './equal-answer.ts';
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

/** What the adapters store of a request beside its body, since any operation has to: its headers. */
function kept({ headers: given }: IncomingMessage): Record<string, string> {
  const result: Record<string, string> = {};
  for (const name of ['accept', 'content-length', 'content-type', 'host', 'user-agent']) {
    const value = given[name];
    if (typeof value === 'string') result[name] = value;
  }
  return result;
}

const headers = { 'content-type': 'application/json; charset=utf-8' };

async function bare(request: IncomingMessage, response: ServerResponse): Promise<void> {
  const body = answer(await readJson(request));
  response.writeHead(200, { ...headers, 'content-length': Buffer.byteLength(body) });
  response.end(body);
}

async function equal(request: IncomingMessage, response: ServerResponse): Promise<void> {
  await readJson(request);
  const length = Buffer.byteLength(equalBody);
  response.writeHead(equalStatus, { ...equalHeaders, 'content-length': length });
  response.end(equalBody);
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
      rest: { headers: kept(request) },
    });
    const reply = await api.handle(operation, {
      source: request,
      method: 'POST',
      operationPath: '/op',
      subPath: '/',
      query: '',
      headers: request.headers,
      capture,
      body: () => body,
      onClose: (listener) => response.on('close', listener),
    });
    if (reply !== null) sendReply(reply, response, 'POST');
  };
}

const handle = MODE === 'bare' ? bare : MODE === 'equal' ? equal : durable();
listen(createServer((request, response) => void handle(request, response)));
