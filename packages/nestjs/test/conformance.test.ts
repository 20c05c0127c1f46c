import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { adapterConformance, type AdapterData } from '@durable-api/conformance';
import { sqliteStore } from '@durable-api/store-sqlite';
import { PLATFORMS } from './support/app.ts';
import { serveFixtures } from './support/fixture-app.ts';

function onSqlite(): AdapterData {
  const folder = mkdtempSync(join(tmpdir(), 'durable-nestjs-'));
  return {
    open: () => sqliteStore(join(folder, 'operations.db')),
    dispose: () => rmSync(folder, { recursive: true, force: true }),
  };
}

for (const platform of PLATFORMS) {
  // Fastify's parser refuses keys that poison prototypes as it refuses malformed JSON.
  const poison = platform === 'fastify' ? ({ poisonProblem: 'body_unreadable' } as const) : {};
  adapterConformance(`Nest on ${platform}, in memory`, (setup) => serveFixtures(platform, setup), {
    ...poison,
  });
  adapterConformance(
    `Nest on ${platform}, on SQLite, with a global prefix`,
    (setup) => serveFixtures(platform, setup, 'api'),
    { createData: onSqlite, ...poison },
  );
}
