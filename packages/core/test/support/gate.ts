import type { AttemptContext } from '../../src/engine/operation.ts';
import type { StoredResponse } from '../../src/state/intent.ts';
import { respond } from './bed.ts';

/** One call of a handler that waits for the test. */
export interface Call {
  readonly context: AttemptContext;
  /** Lets the handler respond. */
  respond(response?: StoredResponse): void;
  fail(error: unknown): void;
}

/** A handler whose calls wait until the test ends them. */
export function gatedHandler(): {
  readonly calls: Call[];
  readonly handler: (input: unknown, context: AttemptContext) => Promise<StoredResponse>;
} {
  const calls: Call[] = [];
  return {
    calls,
    handler: (_input, context) =>
      new Promise((resolve, reject) => {
        calls.push({
          context,
          respond: (response = respond()) => resolve(response),
          fail: reject,
        });
      }),
  };
}

/** The call that came as the `index`th, from 0. @throws Error when there was none. */
export function callAt(calls: readonly Call[], index: number): Call {
  const call = calls[index];
  if (call === undefined) throw new Error(`The handler was called ${calls.length} times.`);
  return call;
}
