import { configDefaults, defineConfig } from 'vitest/config';
import { nestProjects } from './packages/nestjs/vitest-projects.ts';

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
          exclude: [...configDefaults.exclude, 'packages/nestjs/**'],
        },
      },
      ...nestProjects,
    ],
    testTimeout: 30_000,
    hookTimeout: 30_000,
    expect: { poll: { timeout: 20_000 } },
    pool: 'forks',
    reporters: process.env['VITEST_JSON'] ? ['default', 'json'] : ['default'],
    outputFile: { json: process.env['VITEST_JSON'] ?? '' },
  },
});
