import type { Signal, SignalOutcome } from '../engine/signaller.ts';
import { DurableError, type DurableErrorOptions } from '../errors.ts';
import { canonicalJson, hashParts } from '../http/fingerprint.ts';

/** A signal as the engine takes it. */
export function toSignal(
  name: string,
  payload: unknown,
  { key, actor }: { readonly key: string | null; readonly actor?: string | undefined },
): Signal {
  return {
    name,
    payload,
    actor,
    key: key === null ? null : hashParts([key]),
    fingerprint: hashParts([name, canonicalJson(payload)]),
  };
}

/** Why a signal was not taken. */
export function undelivered(
  outcome: Exclude<SignalOutcome, { readonly outcome: 'delivered' | 'repeated' }>,
  name: string,
  options: DurableErrorOptions,
): DurableError {
  switch (outcome.outcome) {
    case 'missing':
      return new DurableError('intent_not_found', 'There is no such intent any more.');
    case 'key_reused': {
      const message =
        'This Idempotency-Key belongs to another signal of this intent. Use a fresh one for a new signal.';
      return new DurableError('idempotency_key_reused', message, options);
    }
    case 'terminal': {
      const message = `It ended as ${outcome.record.status}; nobody is left to take the signal "${name}".`;
      return new DurableError('intent_terminal', message, options);
    }
    case 'full': {
      const message =
        'The intent has all the signals that it may have: their size reaches limits.maxSignalBytes, or it has ' +
        'half as many events as limits.maxEventCount allows, and the rest is kept for its handler.';
      return new DurableError('signals_full', message, options);
    }
  }
}
