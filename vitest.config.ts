import { defineConfig } from 'vitest/config';

export default defineConfig({
  resolve: { conditions: ['durable-source'] },
  ssr: { resolve: { conditions: ['durable-source'] } },
  test: {
    include: ['packages/*/{src,test}/**/*.test.ts', 'examples/*/*.test.ts', 'test/**/*.test.ts'],
    testTimeout: 30_000,
    hookTimeout: 30_000,
    expect: { poll: { timeout: 20_000 } },
    pool: 'forks',
    reporters: process.env['VITEST_JSON'] ? ['default', 'json'] : ['default'],
    outputFile: { json: process.env['VITEST_JSON'] ?? '' },
  },
});
