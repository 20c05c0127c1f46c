import { fileURLToPath } from 'node:url';
import { configDefaults, type TestProjectInlineConfiguration } from 'vitest/config';

declare module 'vitest' {
  interface ProvidedContext {
    /** The major version of Nest that a project of the tests is for. */
    nestMajor: string;
  }
}

const nest11 = fileURLToPath(new URL('test/nest-11/node_modules/@nestjs/', import.meta.url));

/** The tests of this package on one major version of Nest. */
function project(
  name: string,
  major: string,
  alias: { find: RegExp; replacement: string }[],
  include: string,
  exclude = '',
) {
  return {
    extends: true,
    // Nest's decorators are those of TypeScript, and say the types of parameters.
    oxc: { decorator: { legacy: true, emitDecoratorMetadata: true } },
    resolve: { alias },
    test: {
      name,
      include: [`packages/nestjs/test/**/${include}`],
      exclude: [...configDefaults.exclude, exclude],
      provide: { nestMajor: major },
    },
  } satisfies TestProjectInlineConfiguration;
}

const NEST_11 = [
  {
    find: /^@nestjs\/(common|core|platform-express|platform-fastify|swagger|testing)(?=\/|$)/,
    replacement: `${nest11}$1`,
  },
];

/**
 * Every test of this package runs on Nest 12, which it has itself, and on Nest 11; of the latter all are
 * among the long ones. Of the gateway, which is a middleware there, one suite is enough.
 */
export const nestProjects: TestProjectInlineConfiguration[] = [
  project('nest', '12', [], '*.test.ts', '**/*.long.test.ts'),
  project('nest-long', '12', [], '*.long.test.ts'),
  project('nest-11-long', '11', NEST_11, '*.test.ts', '**/gateway.long.test.ts'),
];
