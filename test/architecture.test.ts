import { globSync, readFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { describe, expect, it } from 'vitest';

const ROOT = join(import.meta.dirname, '..');
const SCOPE = '@durable-api/';

/** What a package may stand on (design §8). Conformance is for tests only, so nothing stands on it. */
const OUTER = ['core', 'protocol'];
const EDGES: Readonly<Record<string, readonly string[]>> = {
  protocol: [],
  core: ['protocol'],
  express: OUTER,
  fastify: OUTER,
  nestjs: OUTER,
  'store-sqlite': OUTER,
  'store-postgres': OUTER,
  'store-redis': OUTER,
  gateway: OUTER,
  conformance: OUTER,
  client: ['protocol'],
  cli: ['client', 'protocol'],
  dashboard: ['client', 'protocol'],
  react: ['client', 'protocol'],
};

/** Where a package departs from the design, so that it is seen; to go, or to be agreed upon. */
const DEPARTURES: {
  readonly edges: Readonly<Record<string, readonly string[]>>;
  readonly words: Readonly<Record<string, readonly string[]>>;
  readonly any: Readonly<Record<string, readonly string[]>>;
} = {
  // The command opens stores by itself, and serves the gateway alone.
  edges: { cli: ['core', 'gateway', 'store-sqlite', 'store-postgres', 'store-redis'] },
  words: { cli: ['run'] },
  // Nest's own interface asks for it.
  any: { nestjs: ['packages/nestjs/src/attempt/serialize.ts'] },
};

/** Design §9. */
const NOT_OUR_WORDS =
  /^(job|task|run|execution|queue|lock|message|subscribe|subscription|backend|world|runner)s?$/i;

interface Manifest {
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly devDependencies?: Readonly<Record<string, string>>;
  readonly peerDependencies?: Readonly<Record<string, string>>;
}

interface Source {
  /** The path from the root of the repository. */
  readonly path: string;
  /** Without comments and the insides of strings. */
  readonly code: string;
  /** The specifiers of its imports and exports. */
  readonly imports: readonly string[];
}

const read = (path: string): string => readFileSync(join(ROOT, path), 'utf8');

function manifestOf(name: string): Manifest {
  return JSON.parse(read(`packages/${name}/package.json`));
}

function sourcesOf(name: string): Source[] {
  return globSync(`packages/${name}/src/**/*.ts`, { cwd: ROOT })
    .filter((path) => !path.endsWith('.test.ts'))
    .map((path) => {
      const text = read(path);
      const imports = text.matchAll(/(?:^|\s)(?:from|import)\s*\(?\s*['"]([^'"]+)['"]/g);
      return { path, code: bare(text), imports: [...imports].map(([, from = '']) => from) };
    });
}

/** Source without comments, and with empty strings. */
function bare(text: string): string {
  const pieces =
    /\/\*[\s\S]*?\*\/|\/\/[^\n]*|'(?:[^'\\\n]|\\.)*'|"(?:[^"\\\n]|\\.)*"|`(?:[^`\\]|\\.)*`/g;
  return text.replaceAll(pieces, (piece) => (piece.startsWith('/') ? ' ' : "''"));
}

const words = (name: string): string[] =>
  name.split(/_|(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])/);

const packages = globSync('packages/*/package.json', { cwd: ROOT }).map(
  (path) => dirname(path).split('/').at(-1) ?? '',
);

describe('the packages', () => {
  it('are those of the design', () => {
    expect(packages.length).toBeGreaterThan(0);
    expect(packages.filter((name) => EDGES[name] === undefined)).toEqual([]);
  });
});

describe.each(packages)('the package %s', (name) => {
  const manifest = manifestOf(name);
  const sources = sourcesOf(name);
  const usable = { ...manifest.dependencies, ...manifest.peerDependencies };

  it('stands on nothing but what the design lets it stand on', () => {
    const ours = Object.keys(usable)
      .filter((dependency) => dependency.startsWith(SCOPE))
      .map((dependency) => dependency.slice(SCOPE.length));
    const beyond = ours.filter((other) => EDGES[name]?.includes(other) !== true);
    expect(beyond).toEqual(DEPARTURES.edges[name] ?? []);
  });

  it('imports nothing but what it says it stands on, and no insides of others', () => {
    const strangers = sources.flatMap(({ path, imports }) =>
      imports
        // What begins with # is the package's own, by the `imports` of its manifest.
        .filter((from) => !/^(?:[.#]|node:)/.test(from))
        .filter(
          (from) =>
            usable[
              from
                .split('/')
                .slice(0, from.startsWith('@') ? 2 : 1)
                .join('/')
            ] === undefined,
        )
        .map((from) => `${path}: ${from}`),
    );
    const insides = sources.flatMap(({ path, imports }) =>
      imports
        .filter((from) => from.startsWith(SCOPE) && from.split('/').length > 2)
        .map((from) => `${path}: ${from}`),
    );
    const outside = sources.flatMap(({ path, imports }) =>
      imports
        .filter((from) => from.startsWith('.'))
        .filter((from) => {
          const target = resolve(ROOT, dirname(path), from);
          return relative(join(ROOT, 'packages', name, 'src'), target).startsWith('..');
        })
        .map((from) => `${path}: ${from}`),
    );
    expect({ strangers, insides, outside }).toEqual({ strangers: [], insides: [], outside: [] });
  });

  it('has no `any`', () => {
    const any = /(?:[:<,|&]|\bas|=>)\s*any\b|\bany\[\]/;
    const found = sources.filter(({ code }) => any.test(code)).map(({ path }) => path);
    expect(found).toEqual(DEPARTURES.any[name] ?? []);
  });

  // The command line is there to print.
  const quiet = name === 'cli' ? [] : ['says nothing to the console'];
  it.each(quiet)('%s', () => {
    const loud = sources.filter(({ code }) => /\bconsole\s*[.[]/.test(code));
    expect(loud.map(({ path }) => path)).toEqual([]);
  });

  it('has an index of named exports only, in our words', () => {
    const index = sources.find(({ path }) => path.endsWith('src/index.ts'));
    if (index === undefined) return;
    const { code } = index;
    expect(code).not.toMatch(/export\s*\*/);
    // Fastify’s plugins are default exports by the custom of that ecosystem.
    if (name !== 'fastify') expect(code).not.toMatch(/export\s+default|\bas\s+default\b/);
    const names = [...code.matchAll(/export(?:\s+type)?\s*\{([^}]*)\}/g)]
      .flatMap(([, list = '']) => list.split(','))
      .map((entry) =>
        entry
          .trim()
          .replace(/^type\s+/, '')
          .replace(/^.*\bas\s+/, ''),
      )
      .filter((entry) => entry !== '');
    const foreign = names.filter((entry) => words(entry).some((word) => NOT_OUR_WORDS.test(word)));
    expect(foreign).toEqual(DEPARTURES.words[name] ?? []);
  });
});
