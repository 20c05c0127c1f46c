import { ClassSerializerInterceptor, type NestInterceptor, type Type } from '@nestjs/common';
import type { ContextId, ModuleRef } from '@nestjs/core';
import { firstValueFrom, of } from 'rxjs';
import type { DurableRoute } from '../routes/durable-route.ts';
import { NEST } from '../routes/nest-metadata.ts';
import type { PipeSetup } from './pipes.ts';

/**
 * What Nest's `ClassSerializerInterceptor` makes of a result, where the app has it: fields that
 * `@Exclude()` hides must not be stored. It looks at the result and at metadata only; other interceptors
 * have run at the submit and see no result.
 */
export async function serializeResult(
  { config, moduleRef }: PipeSetup,
  route: DurableRoute,
  value: unknown,
  contextId: ContextId,
): Promise<unknown> {
  const declared: readonly unknown[] = [
    ...config.getGlobalInterceptors(),
    ...(Reflect.getMetadata(NEST.interceptors, route.type) ?? []),
    ...(Reflect.getMetadata(NEST.interceptors, route.original) ?? []),
  ];
  let result = value;
  for (const one of declared.toReversed()) {
    const serializer = await serializerOf(one, moduleRef, contextId);
    if (serializer !== null) result = await serialize(serializer, route, result);
  }
  return result;
}

async function serializerOf(
  declared: unknown,
  moduleRef: ModuleRef,
  contextId: ContextId,
): Promise<NestInterceptor | null> {
  if (declared instanceof ClassSerializerInterceptor) return declared;
  return isSerializerClass(declared) ? moduleRef.resolve(declared, contextId) : null;
}

async function serialize(
  serializer: NestInterceptor,
  { type, original }: DurableRoute,
  value: unknown,
): Promise<unknown> {
  const noRequest = (): never => {
    throw new TypeError('A result is serialised after the request that asked for it.');
  };
  const context = {
    // Nest's interface promises whatever class and kind its caller names.
    getClass: (): Type => type,
    getHandler: () => original,
    // oxlint-disable-next-line typescript/no-explicit-any
    getType: (): any => 'http',
    getArgs: noRequest,
    getArgByIndex: noRequest,
    switchToHttp: noRequest,
    switchToRpc: noRequest,
    switchToWs: noRequest,
  };
  const next = { handle: () => of(value) };
  return firstValueFrom(await serializer.intercept(context, next));
}

function isSerializerClass(declared: unknown): declared is Type<ClassSerializerInterceptor> {
  return (
    typeof declared === 'function' &&
    (declared === ClassSerializerInterceptor ||
      declared.prototype instanceof ClassSerializerInterceptor)
  );
}
