import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { adapterConformance, type AdapterData } from '@durable-api/conformance';
import compress from '@fastify/compress';
import cors from '@fastify/cors';
import helmet from '@fastify/helmet';
import { sqliteStore } from '@durable-api/store-sqlite';
import fastify, { type FastifyInstance } from 'fastify';
import { fastify50 } from './app.ts';
import { serveFixtures } from './conformance-app.ts';

function onSqlite(): AdapterData {
  const folder = mkdtempSync(join(tmpdir(), 'durable-fastify-'));
  return {
    open: () => sqliteStore(join(folder, 'operations.db')),
    dispose: () => rmSync(folder, { recursive: true, force: true }),
  };
}

/** As apps in production are: compressed, hardened, open to other origins. */
async function equip(app: FastifyInstance): Promise<void> {
  await app.register(compress, { threshold: 0 });
  await app.register(helmet);
  await app.register(cors, { origin: true });
}

// Fastify's own parser refuses keys that poison prototypes as JSON that it cannot parse.
const poisonProblem = 'body_unreadable';

adapterConformance('Fastify 5 in memory', (setup) => serveFixtures({ create: fastify }, setup), {
  poisonProblem,
});
adapterConformance('Fastify 5 on SQLite', (setup) => serveFixtures({ create: fastify }, setup), {
  poisonProblem,
  createData: onSqlite,
});
adapterConformance(
  'Fastify 5 with compress, helmet and cors, under a prefix, on SQLite',
  (setup) => serveFixtures({ create: fastify, equip, prefix: '/api/v1' }, setup),
  { poisonProblem, createData: onSqlite },
);
adapterConformance('Fastify 5.0', (setup) => serveFixtures({ create: fastify50 }, setup), {
  poisonProblem,
});
