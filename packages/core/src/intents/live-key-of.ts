import type { Operation } from '../engine/operation.ts';
import { DurableError } from '../errors.ts';
import { hashParts } from '../http/fingerprint.ts';
import { liveKey } from '../state/live-key.ts';

/**
 * The live key of what an owner's submits call `name`; undefined for one that is not to be deduplicated.
 * @throws DurableError `options_invalid` when it is no name
 */
export function liveKeyOf(
  { name: operation, options }: Operation,
  owner: string,
  name: unknown,
): string | undefined {
  if (name === undefined || name === null) return undefined;
  if (typeof name !== 'string' && typeof name !== 'number') {
    const message = `dedupe of operation "${operation}" gave ${typeof name}; it is a text or a number.`;
    throw new DurableError('options_invalid', message);
  }
  const until = options.debounce === null ? 'end' : 'start';
  return liveKey(until, hashParts([owner, operation, String(name)]));
}
