import { adapterConformance } from '@durable-api/conformance';
import fastify from 'fastify';
import { serveFixtures } from './conformance-app.ts';

adapterConformance('Fastify 5', (setup) => serveFixtures(() => fastify(), setup), {
  poisonProblem: 'body_unreadable',
});
