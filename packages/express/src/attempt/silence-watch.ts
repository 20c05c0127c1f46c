import { HandlerFault } from '@durable-api/core';
import type { Outcome } from './outcome.ts';

interface Watched {
  readonly name: string;
  readonly outcome: Outcome;
}

/**
 * Finds handlers that will never answer. A handler may return and answer later from a callback, so its
 * return proves nothing; but once nothing refers to its response any more, nothing can answer with it.
 * The garbage collector knows when. Until it has looked, the attempt's timeout bounds the wait.
 */
export class SilenceWatch {
  readonly #registry = new FinalizationRegistry<Watched>(failSilent);

  /** Fails `outcome` when `res` is collected before it was answered with. */
  watch(name: string, res: object, outcome: Outcome): void {
    this.#registry.register(res, { name, outcome });
  }
}

function failSilent({ name, outcome }: Watched): void {
  if (outcome.isSettled) return;
  const message =
    `The handler of "${name}" ended without an answer. Call res.json() or another method of res ` +
    'that ends the response, or return a value.';
  outcome.fail(new HandlerFault('handler_silent', message));
}
