import { createParamDecorator } from '@nestjs/common';

/** Where the positions of `@DurableContext()` are kept: on the prototype, by method. */
const POSITIONS = 'durable-api:context-positions';

const nothing = createParamDecorator((): undefined => undefined);

/**
 * Gives a parameter of a durable method the attempt's `AttemptContext`: intent, attempt, `progress`,
 * `signal`. It is undefined when the method is called otherwise, as in a unit test.
 */
export function DurableContext(): ParameterDecorator {
  return (prototype: object, method: string | symbol | undefined, index: number): void => {
    if (method === undefined) {
      throw new TypeError('@DurableContext() belongs on a parameter of a method.');
    }
    nothing()(prototype, method, index);
    const positions = [...contextPositions(prototype, method), index];
    Reflect.defineMetadata(POSITIONS, positions, prototype, method);
  };
}

/** The positions of the parameters that bear `@DurableContext()`. */
export function contextPositions(prototype: object, method: string | symbol): readonly number[] {
  return Reflect.getMetadata(POSITIONS, prototype, method) ?? [];
}
