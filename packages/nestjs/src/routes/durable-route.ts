import { RequestMethod, type Type } from '@nestjs/common';
import { durableMethods, durableOptions } from '../durable-decorator.ts';
import { mountError, type RouteName } from './mount-error.ts';
import { NEST, nestPaths } from './nest-metadata.ts';
import type { DurableOptions } from '../options.ts';
import { readParameters, type RouteParameter } from './route-parameter.ts';
import { storedHeaders } from './stored-headers.ts';

/** A method as it stands on a prototype. */
export type Method = (this: unknown, ...values: unknown[]) => unknown;

/** A durable method of one controller, read at boot. */
export interface DurableRoute {
  readonly type: Type<object>;
  readonly method: string;
  readonly operation: string;
  readonly options: Omit<DurableOptions, 'name' | 'storeCustomParameters'>;
  /** The method as the app wrote it. */
  readonly original: Method;
  readonly parameters: readonly RouteParameter[];
  /** The names of the request headers that its attempts are given. */
  readonly storedHeaders: readonly string[];
  /** The status of the method's response when it returns. */
  readonly status: number;
  /** The headers of the method's response, as `@Header()` named them. */
  readonly headers: readonly { readonly name: string; readonly value: unknown }[];
}

/** Where a wrapper keeps the method that it stands for. */
const ORIGINAL = 'durable-api:original';

/** Marks `wrapper` as standing for `original`. */
export function setOriginal(wrapper: object, original: Method): void {
  Reflect.defineMetadata(ORIGINAL, original, wrapper);
}

/** Whether a route handler of Nest's is that of a durable method; Nest copies the metadata. */
export function isSubmitRoute(handler: object): boolean {
  return Reflect.hasMetadata(ORIGINAL, handler);
}

/** The durable methods of a class. @throws DurableError `mount_invalid` naming what cannot work. */
export function readRoutes(type: Type<object>): DurableRoute[] {
  return durableMethods(type.prototype).map((method) => readRoute(type, method));
}

function readRoute(type: Type<object>, method: string): DurableRoute {
  const name = { type: type.name, method };
  const found: unknown = Reflect.get(type.prototype, method);
  if (!isMethod(found)) throw mountError(name, 'it is no method any more.');
  const original: unknown = Reflect.getMetadata(ORIGINAL, found) ?? found;
  if (!isMethod(original)) throw mountError(name, 'it is no method any more.');
  checkRoute(name, original);
  const options = durableOptions(type.prototype, method);
  const { name: operation, storeCustomParameters, ...rest } = options;
  const parameters = readParameters(type, method, storeCustomParameters === true);
  return {
    type,
    method,
    operation: operation ?? `${type.name}.${method}`,
    options: rest,
    original,
    parameters,
    storedHeaders: storedHeaders(parameters),
    status: Reflect.getMetadata(NEST.httpCode, original) ?? 201,
    headers: Reflect.getMetadata(NEST.headers, original) ?? [],
  };
}

function checkRoute(name: RouteName, method: Method): void {
  const paths = nestPaths(method);
  const verb: unknown = Reflect.getMetadata(NEST.method, method);
  if (paths.length === 0) {
    throw mountError(
      name,
      'it is no route. Add @Post(); if it is there, another decorator replaces the method without ' +
        'copying its metadata: put that one below @Post(), or let it set metadata only.',
    );
  }
  if (verb !== RequestMethod.POST) throw mountError(name, 'only a @Post() route can be durable.');
  for (const path of paths) {
    if (/[*{}()?]/.test(path)) {
      const what = `the path "${path}" has a pattern, below which nothing can be added.`;
      throw mountError(name, `${what} Use plain segments and :parameters.`);
    }
  }
  const headers: { readonly name: string }[] = Reflect.getMetadata(NEST.headers, method) ?? [];
  if (headers.some((header) => header.name.toLowerCase() === 'set-cookie')) {
    throw mountError(name, 'its result is served later, to whoever asks, so it sets no cookie.');
  }
  for (const [key, decorator] of [
    [NEST.sse, '@Sse()'],
    [NEST.render, '@Render()'],
    [NEST.redirect, '@Redirect()'],
  ] as const) {
    if (Reflect.getMetadata(key, method) === undefined) continue;
    throw mountError(name, `${decorator} answers the request itself. Return the result instead.`);
  }
}

function isMethod(value: unknown): value is Method {
  return typeof value === 'function';
}
