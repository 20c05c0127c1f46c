import { fileURLToPath } from 'node:url';
import type { TestProjectInlineConfiguration } from 'vitest/config';

declare module 'vitest' {
  interface ProvidedContext {
    /** The major version of Nest that a project of the tests is for. */
    nestMajor: string;
  }
}

const nest11 = fileURLToPath(new URL('test/nest-11/node_modules/@nestjs/', import.meta.url));

/** The tests of this package on one major version of Nest. */
function project(major: string, alias: { find: RegExp; replacement: string }[]) {
  return {
    extends: true,
    // Nest's decorators are those of TypeScript, and say the types of parameters.
    oxc: { decorator: { legacy: true, emitDecoratorMetadata: true } },
    resolve: { alias },
    test: {
      name: `nest-${major}`,
      include: ['packages/nestjs/test/**/*.test.ts'],
      provide: { nestMajor: major },
    },
  } satisfies TestProjectInlineConfiguration;
}

/** Every test of this package runs on Nest 12, which it has itself, and on Nest 11. */
export const nestProjects: TestProjectInlineConfiguration[] = [
  project('12', []),
  project('11', [
    {
      find: /^@nestjs\/(common|core|platform-express|platform-fastify|swagger|testing)(?=\/|$)/,
      replacement: `${nest11}$1`,
    },
  ]),
];
