import { FASTIFY, NEST } from './nest-metadata.ts';
import { SWAGGER_OF_OPERATION } from './swagger-metadata.ts';

/** What a method says of its own request and answer, which is not true of another route. */
const OWN: ReadonlySet<unknown> = new Set<string>([
  NEST.path,
  NEST.method,
  NEST.httpCode,
  NEST.headers,
  NEST.render,
  NEST.redirect,
  NEST.sse,
  NEST.interceptors,
  NEST.pipes,
  FASTIFY.schema,
  ...SWAGGER_OF_OPERATION,
]);

/** Gives `target` all that decorators said of `source`. */
export function copyMetadata(source: object, target: object): void {
  for (const key of Reflect.getOwnMetadataKeys(source)) copy(key, source, target);
}

/**
 * Gives `target` what holds for whoever may call `source`: guards, version, filters, tags and whatever
 * the app's own guards look at, such as roles. Not what concerns the request and answer of `source`.
 */
export function copyAccess(source: object, target: object): void {
  for (const key of Reflect.getOwnMetadataKeys(source)) {
    if (!OWN.has(key)) copy(key, source, target);
  }
}

function copy(key: unknown, source: object, target: object): void {
  Reflect.defineMetadata(key, Reflect.getOwnMetadata(key, source), target);
}
