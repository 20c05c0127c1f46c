import { INTENT_CONSTRAINT, ROUTE_CONFIG } from '../platform/fastify-platform.ts';
import { ID_PARAM } from '../platform/intent-url.ts';
import { copyAccess, copyMetadata } from './copy-metadata.ts';
import { setOriginal, type DurableRoute, type Method } from './durable-route.ts';
import { answeringMethod, askForRequest } from './method-calls.ts';
import { mountError } from './mount-error.ts';
import { FASTIFY, NEST, nestPaths } from './nest-metadata.ts';
import { SIBLINGS, type Sibling } from './sibling.ts';
import { describeSibling, describeSubmit } from './swagger-metadata.ts';

/** Marks a method of a prototype as installed. */
const INSTALLED = 'durable-api:installed';

/**
 * Puts a durable method in place on the prototype of its class, before Nest looks for routes: the method
 * answers requests by a submit, and is what it was when the app calls it; the routes of its intents are
 * methods beside it. Once per class, whatever number of apps has it.
 * @throws DurableError `mount_invalid` when a name of a route is taken.
 */
export function installRoute(route: DurableRoute): void {
  const { type, method } = route;
  const { prototype } = type;
  if (Reflect.hasOwnMetadata(INSTALLED, prototype, method)) return;
  const siblings = SIBLINGS.map((sibling) => siblingMethod(route, sibling));
  const submit = submitMethod(route);
  putFirst(prototype, siblings);
  define(prototype, submit);
  Reflect.defineMetadata(INSTALLED, true, prototype, method);
}

function submitMethod(route: DurableRoute): Method {
  const { type, method, original } = route;
  const ownCount = countParameters(route);
  const submit = named(
    method,
    answeringMethod({ method, isSubmit: true, ownCount, otherwise: original }),
  );
  copyMetadata(original, submit);
  setOriginal(submit, original);
  // What the app said of the method's own answer holds for the result.
  Reflect.defineMetadata(NEST.httpCode, 202, submit);
  Reflect.defineMetadata(NEST.headers, [], submit);
  configure(submit);
  describeSubmit(route, submit);
  askForRequest(type, method, ownCount);
  return submit;
}

function siblingMethod(route: DurableRoute, sibling: Sibling): Method {
  const { type, method, original } = route;
  const name = method + sibling.suffix;
  if (name in type.prototype && !Reflect.hasMetadata(INSTALLED, type.prototype, method)) {
    throw mountError(
      { type: type.name, method },
      `its routes need the name ${name}, which a method of the class has. Rename that one.`,
    );
  }
  const answer = named(
    name,
    answeringMethod({ method, isSubmit: false, ownCount: 0, otherwise: refuse }),
  );
  copyAccess(original, answer);
  Reflect.defineMetadata(NEST.method, sibling.verb, answer);
  Reflect.defineMetadata(NEST.path, siblingPaths(original, sibling), answer);
  const constraints: unknown = Reflect.getMetadata(FASTIFY.constraints, original);
  Reflect.defineMetadata(
    FASTIFY.constraints,
    { ...Object(constraints), [INTENT_CONSTRAINT]: 'yes' },
    answer,
  );
  configure(answer);
  describeSibling(route, sibling, answer);
  askForRequest(type, name, 0);
  return answer;
}

function refuse(): never {
  throw new TypeError('The routes of an intent are called by Nest only. Inject DurableApiService.');
}

function configure(answer: Method): void {
  const config: unknown = Reflect.getMetadata(FASTIFY.config, answer);
  Reflect.defineMetadata(FASTIFY.config, { ...Object(config), [ROUTE_CONFIG]: true }, answer);
}

function siblingPaths(original: Method, { parts }: Sibling): string[] {
  return nestPaths(original).flatMap((path) => {
    const own = path.replaceAll(/^\/+|\/+$/g, '');
    return parts.map((part) => `${own === '' ? '' : `/${own}`}/:${ID_PARAM}${part}`);
  });
}

function countParameters({ original, parameters, type, method }: DurableRoute): number {
  const types: unknown = Reflect.getMetadata(NEST.paramTypes, type.prototype, method);
  const indexes = parameters.map(({ index }) => index + 1);
  return Math.max(original.length, Array.isArray(types) ? types.length : 0, ...indexes);
}

/** Guards and documents call a route by the name of its function. */
function named(name: string, method: Method): Method {
  return Object.defineProperty(method, 'name', { value: name, configurable: true });
}

function define(prototype: object, method: Method): void {
  Object.defineProperty(prototype, method.name, {
    value: method,
    writable: true,
    configurable: true,
    enumerable: false,
  });
}

/**
 * Express takes the first route that matches, and Nest registers methods in their order: a `@Get(':id')`
 * of the app would get what is meant for ours. Others than ids of intents are left to it.
 */
function putFirst(prototype: object, methods: readonly Method[]): void {
  const own = Object.entries(Object.getOwnPropertyDescriptors(prototype)).filter(
    ([name, { configurable }]) => name !== 'constructor' && configurable === true,
  );
  for (const [name] of own) Reflect.deleteProperty(prototype, name);
  for (const method of methods) define(prototype, method);
  for (const [name, descriptor] of own) Object.defineProperty(prototype, name, descriptor);
}
