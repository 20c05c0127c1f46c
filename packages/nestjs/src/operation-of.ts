import type { OperationRef } from '@durable-api/core';
import type { Type } from '@nestjs/common';
import type { Observable } from 'rxjs';
import { durableMethods, durableOptions } from './durable-decorator.ts';

/** What a durable method gives: what it returns, resolved, as JSON brings it back. */
type ResultOf<Method> = Method extends (...values: never[]) => infer Returned
  ? Returned extends Observable<infer Value>
    ? Value
    : Awaited<Returned>
  : unknown;

/**
 * A durable method as `start` takes it: `start(operationOf(ReportsController, 'generate'), body)`, whose
 * result has the type of what the method returns.
 * @throws TypeError when the method does not bear `@Durable()`.
 */
export function operationOf<Controller extends object, Method extends string & keyof Controller>(
  type: Type<Controller>,
  method: Method,
): OperationRef<unknown, ResultOf<Controller[Method]>> {
  if (!durableMethods(type.prototype).includes(method)) {
    throw new TypeError(`${type.name}.${method} does not bear @Durable().`);
  }
  const { name = `${type.name}.${method}`, version } = durableOptions(type.prototype, method);
  return { operation: name, ...(version !== undefined && { version: String(version) }) };
}
