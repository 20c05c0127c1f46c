import { Inject } from '@nestjs/common';
import type { DurableOptions } from './options.ts';
import { RUNTIME } from './routes/runtime-token.ts';

/** Where the options of `@Durable()` are kept: on the prototype, by method. */
const OPTIONS = 'durable-api:options';
/** Where the names of the decorated methods are kept: on the prototype. */
const METHODS = 'durable-api:methods';

/**
 * Makes a `@Post()` method of a controller a durable operation: a request stores an intent and is
 * answered 202, the method then runs with what guards and pipes let through, and the routes to observe,
 * collect and cancel are added beside it. Stands above or below `@Post()`.
 */
export function Durable(options: DurableOptions = {}): MethodDecorator {
  return (prototype: object, method: string | symbol): void => {
    if (typeof method === 'symbol') {
      throw new TypeError(`@Durable() takes a method with a name, not ${String(method)}.`);
    }
    const others = durableMethods(prototype).filter((other) => other !== method);
    Reflect.defineMetadata(METHODS, [...others, method], prototype);
    Reflect.defineMetadata(OPTIONS, options, prototype, method);
    Inject(RUNTIME)(prototype, RUNTIME);
  };
}

/** The methods that bear `@Durable()`, those of parent classes included. */
export function durableMethods(prototype: object): readonly string[] {
  return Reflect.getMetadata(METHODS, prototype) ?? [];
}

/** The options that `@Durable()` was given on a method. */
export function durableOptions(prototype: object, method: string): DurableOptions {
  return Reflect.getMetadata(OPTIONS, prototype, method) ?? {};
}
