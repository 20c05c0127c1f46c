import { adapterConformance } from '@durable-api/conformance';
import fastify from 'fastify';
import { fastify50 } from './app.ts';
import { equip, poisonProblem, serveFixtures } from './conformance-app.ts';

adapterConformance('Fastify 5 in memory', (setup) => serveFixtures({ create: fastify }, setup), {
  poisonProblem,
});
adapterConformance(
  'Fastify 5 with compress, helmet and cors, under a prefix, in memory',
  (setup) => serveFixtures({ create: fastify, equip, prefix: '/api/v1' }, setup),
  { poisonProblem },
);
adapterConformance('Fastify 5.0', (setup) => serveFixtures({ create: fastify50 }, setup), {
  poisonProblem,
});
