import { adapterConformance } from '@durable-api/conformance';
import fastify from 'fastify';
import { equip, poisonProblem, serveFixtures } from './conformance-app.ts';
import { onSqlite } from './on-sqlite.ts';

adapterConformance(
  'Fastify 5 with compress, helmet and cors, under a prefix, on SQLite',
  (setup) => serveFixtures({ create: fastify, equip, prefix: '/api/v1' }, setup),
  { poisonProblem, createData: onSqlite },
);
adapterConformance('Fastify 5 on SQLite', (setup) => serveFixtures({ create: fastify }, setup), {
  poisonProblem,
  createData: onSqlite,
});
