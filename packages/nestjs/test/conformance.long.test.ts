import { adapterConformance } from '@durable-api/conformance';
import { PLATFORMS } from './support/app.ts';
import { poisonOn, serveFixtures } from './support/fixture-app.ts';
import { onSqlite } from './support/on-sqlite.ts';

for (const platform of PLATFORMS) {
  adapterConformance(
    `Nest on ${platform}, on SQLite, with a global prefix`,
    (setup) => serveFixtures(platform, setup, { prefix: 'api' }),
    { createData: onSqlite, ...poisonOn(platform) },
  );
}
