import { memoryStore } from '@durable-api/core';
import { durableApi } from '@durable-api/fastify';
import { sqliteStore } from '@durable-api/store-sqlite';
import fastify from 'fastify';
import { equalBody, equalHeaders, equalStatus } from './equal-answer.ts';

const { MODE = 'durable', STORE = 'sqlite', STORE_FILE = '', WORKER = '1' } = process.env;

const app = fastify();
if (MODE === 'durable') {
  const store = STORE === 'memory' ? memoryStore() : sqliteStore(STORE_FILE);
  await app.register(durableApi, { store, worker: WORKER === '1' });
}

/** The route that is benched: bare, and as a durable operation. */
if (MODE === 'equal') {
  app.post('/op', (_request, reply) => {
    reply.code(equalStatus).headers(equalHeaders).send(equalBody);
  });
} else {
  app.post<{ Body: { quarter: string } }>(
    '/op',
    { config: { durable: true } },
    async (request) => ({ ok: true, quarter: request.body.quarter }),
  );
}

const address = await app.listen({ port: 0, host: '127.0.0.1' });
console.log(new URL(address).port);
