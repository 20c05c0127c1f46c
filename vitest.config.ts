import { fileURLToPath } from 'node:url';
import { configDefaults, defineConfig } from 'vitest/config';
import { nestProjects } from './packages/nestjs/vitest-projects.ts';

// Worker threads and server processes of the tests load the sources; compiled once, they start faster.
process.env['NODE_COMPILE_CACHE'] ??= fileURLToPath(
  new URL('node_modules/.cache/compiled', import.meta.url),
);

/** What takes many seconds of its own: kill loops, sweeps, clusters. `pnpm test:long`, and in CI. */
const LONG = '**/*.long.test.ts';

export default defineConfig({
  resolve: { conditions: ['durable-source'] },
  ssr: { resolve: { conditions: ['durable-source'] } },
  test: {
    projects: [
      {
        extends: true,
        test: {
          name: 'all',
          include: [
            'packages/*/{src,test}/**/*.test.ts',
            'examples/*/*.test.ts',
            'test/**/*.test.ts',
          ],
          typecheck: {
            enabled: true,
            checker: 'tsc',
            include: ['packages/*/test/**/*.test-d.ts'],
            tsconfig: 'packages/client/test/tsconfig.json',
          },
          exclude: [...configDefaults.exclude, 'packages/nestjs/**', LONG],
        },
      },
      {
        extends: true,
        test: {
          name: 'long',
          include: [`{packages,examples,test}/${LONG}`],
          exclude: [...configDefaults.exclude, 'packages/nestjs/**'],
          fileParallelism: false,
          sequence: { groupOrder: 1 },
        },
      },
      ...nestProjects,
    ],
    // Many race killed processes and real clocks on whatever machine CI has; one that needed another run
    // is shown with `retry x1`. At a desk a failure is a failure.
    retry: process.env['CI'] === 'true' ? 2 : 0,
    globalSetup: 'test/find-services.ts',
    testTimeout: 30_000,
    hookTimeout: 30_000,
    expect: { poll: { timeout: 20_000 } },
    pool: 'forks',
    isolate: false,
    // More than there are cores: many tests wait for a process, a socket or a time.
    maxWorkers: 4,
    reporters: process.env['VITEST_JSON'] ? ['default', 'json'] : ['default'],
    outputFile: { json: process.env['VITEST_JSON'] ?? '' },
  },
});
