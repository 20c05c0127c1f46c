import { createRequire } from 'node:module';
import { readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { describe, expect, inject, it } from 'vitest';
import { FASTIFY, NEST, PARAMETER, PARAMETER_NAMES } from '../src/routes/nest-metadata.ts';

/** The installed Nest of the major version that this project of the tests is named for. */
const major = inject('nestMajor');
const base =
  major === '11'
    ? fileURLToPath(new URL('nest-11/package.json', import.meta.url))
    : fileURLToPath(new URL('../package.json', import.meta.url));
const folderOf = (name: string): string =>
  dirname(createRequire(base).resolve(`${name}/package.json`));

async function constants(name: string, file: string): Promise<Record<string, unknown>> {
  return import(pathToFileURL(join(folderOf(name), file)).href);
}

describe('the metadata of Nest', () => {
  it('is that of the version that these tests are to run on', async () => {
    const { version } = JSON.parse(
      await readFile(join(folderOf('@nestjs/core'), 'package.json'), 'utf8'),
    );
    expect(String(version).split('.')[0]).toBe(major);
    const used = await import('@nestjs/core');
    const installed = await constants('@nestjs/core', 'index.js');
    expect(used.NestFactory).toBe(installed['NestFactory']);
  });

  it('has the keys that we know it by', async () => {
    const nest = await constants('@nestjs/common', 'constants.js');
    expect(NEST).toEqual({
      path: nest['PATH_METADATA'],
      method: nest['METHOD_METADATA'],
      httpCode: nest['HTTP_CODE_METADATA'],
      headers: nest['HEADERS_METADATA'],
      render: nest['RENDER_METADATA'],
      redirect: nest['REDIRECT_METADATA'],
      sse: nest['SSE_METADATA'],
      interceptors: nest['INTERCEPTORS_METADATA'],
      pipes: nest['PIPES_METADATA'],
      routeArguments: nest['ROUTE_ARGS_METADATA'],
      customArguments: nest['CUSTOM_ROUTE_ARGS_METADATA'],
      paramTypes: nest['PARAMTYPES_METADATA'],
    });
  });

  it('has the keys of the Fastify platform', async () => {
    const nest = await constants('@nestjs/platform-fastify', 'constants.js');
    expect(FASTIFY).toEqual({
      config: nest['FASTIFY_ROUTE_CONFIG_METADATA'],
      constraints: nest['FASTIFY_ROUTE_CONSTRAINTS_METADATA'],
      schema: nest['FASTIFY_ROUTE_SCHEMA_METADATA'],
    });
  });

  it('has the numbers of parameters', async () => {
    const nest = await constants('@nestjs/common', 'enums/route-paramtypes.enum.js');
    const numbers = Object(nest['RouteParamtypes']);
    expect(PARAMETER).toEqual({
      request: numbers.REQUEST,
      response: numbers.RESPONSE,
      next: numbers.NEXT,
      body: numbers.BODY,
      query: numbers.QUERY,
      param: numbers.PARAM,
      headers: numbers.HEADERS,
      host: numbers.HOST,
      ip: numbers.IP,
    });
    const known = Object.values(numbers).filter((value) => typeof value === 'number');
    expect(PARAMETER_NAMES.length).toBeGreaterThanOrEqual(known.length);
  });
});
