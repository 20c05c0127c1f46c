import type { ArgumentMetadata, PipeTransform, Type } from '@nestjs/common';
import type { ApplicationConfig, ContextId, ModuleRef } from '@nestjs/core';
import type { DurableRoute } from '../routes/durable-route.ts';
import { NEST } from '../routes/nest-metadata.ts';
import type { RouteParameter } from '../routes/route-parameter.ts';

/** Where pipes are found. */
export interface PipeSetup {
  readonly config: ApplicationConfig;
  /** The reference of the module that the controller belongs to. */
  readonly moduleRef: ModuleRef;
}

/** Runs on a value what Nest runs: the pipes of the app, the class, the method and the parameter. */
export async function runPipes(
  setup: PipeSetup,
  route: DurableRoute,
  parameter: RouteParameter,
  raw: unknown,
  contextId: ContextId,
): Promise<unknown> {
  const metadata = argumentMetadata(parameter);
  let value = raw;
  for (const pipe of await pipesOf(setup, route, parameter, contextId)) {
    value = await pipe.transform(value, metadata);
  }
  return value;
}

async function pipesOf(
  { config, moduleRef }: PipeSetup,
  { type, original }: DurableRoute,
  { pipes }: RouteParameter,
  contextId: ContextId,
): Promise<PipeTransform[]> {
  const scoped = await Promise.all(
    config
      .getGlobalRequestPipes()
      .map(({ token }) => moduleRef.resolve<PipeTransform>(token, contextId, { strict: false })),
  );
  const declared: readonly unknown[] = [
    ...(Reflect.getMetadata(NEST.pipes, type) ?? []),
    ...(Reflect.getMetadata(NEST.pipes, original) ?? []),
    ...pipes,
  ];
  const own = await Promise.all(declared.map((pipe) => resolvePipe(moduleRef, pipe, contextId)));
  return [...config.getGlobalPipes(), ...scoped, ...own];
}

async function resolvePipe(
  moduleRef: ModuleRef,
  pipe: unknown,
  contextId: ContextId,
): Promise<PipeTransform> {
  if (isPipe(pipe)) return pipe;
  if (!isClass(pipe)) throw new TypeError(`${String(pipe)} is no pipe.`);
  return moduleRef.resolve(pipe, contextId);
}

function argumentMetadata({ source, data, metatype, schema }: RouteParameter): ArgumentMetadata {
  const type = source === 'body' || source === 'query' || source === 'param' ? source : 'custom';
  const metadata: ArgumentMetadata = {
    type,
    ...(isClass(metatype) && { metatype }),
    ...(typeof data === 'string' && { data }),
  };
  return schema === undefined ? metadata : Object.assign(metadata, { schema });
}

function isPipe(value: unknown): value is PipeTransform {
  return (
    typeof value === 'object' &&
    value !== null &&
    'transform' in value &&
    typeof value.transform === 'function'
  );
}

function isClass(value: unknown): value is Type<PipeTransform> {
  return typeof value === 'function';
}
