import { adapterConformance } from '@durable-api/conformance';
import { PLATFORMS } from './support/app.ts';
import { serveFixtures } from './support/fixture-app.ts';

for (const platform of PLATFORMS) {
  adapterConformance(`Nest on ${platform}`, (setup) => serveFixtures(platform, setup), {
    poisonProblem: platform === 'fastify' ? 'body_unreadable' : 'payload_forbidden_key',
  });
}
