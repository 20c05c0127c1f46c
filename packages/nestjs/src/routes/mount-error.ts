import { DurableError } from '@durable-api/core';

/** Names a method of a controller in messages. */
export interface RouteName {
  readonly type: string;
  readonly method: string;
}

/** The error for a durable method that cannot work as it is declared; thrown at boot. */
export function mountError({ type, method }: RouteName, what: string): DurableError {
  return new DurableError('mount_invalid', `@Durable() on ${type}.${method}: ${what}`);
}
