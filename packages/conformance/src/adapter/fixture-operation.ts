import type { AttemptContext, OperationOptions } from '@durable-api/core';
import type { FixtureRequest } from './adapter.ts';

/** What the handler of a fixture is called with, however the framework hands it over. */
export interface FixtureCall {
  /** The path parameters of {@link FixtureOperation.path}. */
  readonly params: Readonly<Record<string, unknown>>;
  readonly query: Readonly<Record<string, unknown>>;
  /** The parsed body; undefined when the request had none. */
  readonly body: unknown;
  /** The durable context of the attempt. */
  readonly durable: AttemptContext;
}

/** An operation that the adapter mounts for a test. */
export interface FixtureOperation {
  /** The name to declare it under. */
  readonly name: string;
  /** Where it is mounted; a segment may be a parameter, `:tenant`. */
  readonly path: string;
  /** Whether {@link fixtureTenant} stands in front of it, in the framework's own way, and answers 401. */
  readonly isProtected: boolean;
  readonly options: OperationOptions<FixtureRequest>;
  /**
   * How the framework's handler answers with what {@link handle} resolves to: `reply` writes it with
   * `status` and `headers` (a `Buffer` as bytes, anything else as JSON), `return` returns it. Where
   * handlers can only do one of them, both are that one.
   */
  readonly answerBy: 'reply' | 'return';
  /** The status of the handler's response; 200 unless it answers by `reply`. */
  readonly status: number;
  /** Headers that the handler sets; none unless it answers by `reply`. */
  readonly headers: Readonly<Record<string, string>>;
  /** What the handler does. The framework's handler calls it once per attempt and lets it reject. */
  handle(call: FixtureCall): Promise<unknown>;
}

/** A route of the app's own, mounted after the operations: answers 200 and `body` as JSON. */
export interface FixtureRoute {
  readonly method: 'GET' | 'POST';
  readonly path: string;
  readonly body: Readonly<Record<string, unknown>>;
}

/** The tenants that {@link fixtureTenant} lets in. */
export const FIXTURE_TENANTS = ['tenant-a', 'tenant-b'] as const;

/**
 * Whom an `Authorization` header names: `Bearer tenant-a` or `Bearer tenant-b`. Null for any other, and
 * then the framework's guard answers 401.
 */
export function fixtureTenant(
  authorization: string | undefined,
): (typeof FIXTURE_TENANTS)[number] | null {
  return FIXTURE_TENANTS.find((tenant) => authorization === `Bearer ${tenant}`) ?? null;
}

/** A fixture with defaults: mounted at `/op`, named after its path, open, answering 200 by `reply`. */
export function fixtureOperation(
  given: Partial<FixtureOperation> & Pick<FixtureOperation, 'handle'>,
): FixtureOperation {
  const path = given.path ?? '/op';
  return {
    name: path.slice(1),
    path,
    isProtected: false,
    options: {},
    answerBy: 'reply',
    status: 200,
    headers: {},
    ...given,
  };
}

/** Gives back what it is called with: `{ params, query, body }`. */
export function echo(given: Partial<FixtureOperation> = {}): FixtureOperation {
  return fixtureOperation({
    ...given,
    handle: async ({ params, query, body }) => ({ params, query, body: body ?? null }),
  });
}
