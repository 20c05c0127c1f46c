import { execFile } from 'node:child_process';
import { cp, mkdir, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { PLATFORMS } from './support/app.ts';

const run = promisify(execFile);
const root = fileURLToPath(new URL('../../../', import.meta.url));
const nest = join(
  root,
  inject('nestMajor') === '11' ? 'packages/nestjs/test/nest-11' : 'packages/nestjs',
);
const typescript = join(root, 'node_modules/typescript/bin/tsc');

let folder = '';

/** A project of its own: our package as it is published, beside the Nest that it is tested with. */
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'durable-nest-consumer-'));
  const modules = join(folder, 'node_modules');
  await mkdir(join(modules, '@durable-api/nestjs'), { recursive: true });
  const links = {
    '@nestjs': join(nest, 'node_modules/@nestjs'),
    rxjs: join(nest, 'node_modules/rxjs'),
    'reflect-metadata': join(nest, 'node_modules/reflect-metadata'),
    '@types': join(root, 'node_modules/@types'),
    '@durable-api/core': join(root, 'packages/core'),
    '@durable-api/protocol': join(root, 'packages/protocol'),
  };
  for (const [name, target] of Object.entries(links)) await symlink(target, join(modules, name));
  const own = join(modules, '@durable-api/nestjs');
  await cp(join(root, 'packages/nestjs/dist'), join(own, 'dist'), { recursive: true });
  await cp(join(root, 'packages/nestjs/package.json'), join(own, 'package.json'));
  const source = await readFile(new URL('consumer/consumer.txt', import.meta.url), 'utf8');
  await writeFile(join(folder, 'esm.mts'), source);
  await writeFile(join(folder, 'cjs.cts'), source);
  const compilerOptions = {
    target: 'es2023',
    module: 'nodenext',
    strict: true,
    skipLibCheck: true,
    types: ['node'],
    experimentalDecorators: true,
    emitDecoratorMetadata: true,
  };
  await writeFile(join(folder, 'tsconfig.json'), JSON.stringify({ compilerOptions }));
  await run(process.execPath, [typescript, '-p', folder]).catch((error: { stdout?: string }) => {
    throw new Error(`The consumer does not compile:\n${error.stdout}`);
  });
}, 60_000);

afterAll(() => rm(folder, { recursive: true, force: true }));

describe('an app of its own', () => {
  for (const file of ['esm.mjs', 'cjs.cjs']) {
    for (const platform of PLATFORMS) {
      it(`compiles and runs as ${file} on ${platform}`, async () => {
        const { stdout } = await run(process.execPath, [join(folder, file), platform]);
        expect(stdout).toBe('201 {"of":"Q3","attempt":1}\n');
      });
    }
  }
});
