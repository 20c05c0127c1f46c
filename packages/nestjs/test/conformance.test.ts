import { adapterConformance } from '@durable-api/conformance';
import { PLATFORMS } from './support/app.ts';
import { poisonOn, serveFixtures } from './support/fixture-app.ts';

for (const platform of PLATFORMS) {
  adapterConformance(
    `Nest on ${platform}, in memory`,
    (setup) => serveFixtures(platform, setup),
    poisonOn(platform),
  );
  adapterConformance(
    `Nest on ${platform}, with compression, helmet and cors, in memory`,
    (setup) => serveFixtures(platform, setup, { isEquipped: true }),
    poisonOn(platform),
  );
}
