import { DurableError } from '@durable-api/core';
import { addressKey, canonicalAddress, type HomeAddress } from '../addresses/address.ts';
import type { GatewayCore } from '../gateway-core.ts';
import type { LocalOperation } from '../intents/envelope.ts';
import type { GatewayOperation } from '../options.ts';

/**
 * The operations that work on what is sent to addresses, by the keys of those.
 * @throws DurableError `options_invalid`
 */
export function recipientsOf(
  operations: Readonly<Record<string, GatewayOperation>>,
  home: HomeAddress,
): ReadonlyMap<string, LocalOperation> {
  const recipients = new Map<string, LocalOperation>();
  for (const [address, given] of Object.entries(operations)) {
    const key = addressKey(address, home);
    const operation = localOperation(given);
    if (key === null) throw refused(address, 'this is no address');
    if (operation === null)
      throw refused(address, 'must be the name of an operation, or { operation, owner }');
    if (recipients.has(key)) throw refused(address, 'is there twice');
    recipients.set(key, operation);
  }
  return recipients;
}

/**
 * Refuses what could not be worked on, before it is stored.
 * @throws DurableError `handler_unavailable`
 */
export function checkRecipient({ recipients, operations }: GatewayCore, to: string): void {
  const recipient = recipients.get(to);
  if (recipient === undefined || operations.has(recipient.name)) return;
  throw new DurableError(
    'handler_unavailable',
    `The gateway gives what is sent to ${canonicalAddress(to)} to the operation "${recipient.name}", and none of ` +
      'this name is declared in this process. Look at the option operations.',
  );
}

/** What an adapter gives for an operation may be a list or a function. */
function localOperation(given: unknown): LocalOperation | null {
  if (typeof given === 'string') return given === '' ? null : { name: given, owner: '' };
  const { operation, owner = '' }: { operation?: unknown; owner?: unknown } = Object(given);
  const name: unknown = typeof operation === 'string' ? operation : Object(operation).operation;
  const isNamed = typeof name === 'string' && name !== '';
  return isNamed && typeof owner === 'string' ? { name, owner } : null;
}

function refused(address: string, why: string): DurableError {
  return new DurableError('options_invalid', `gateway: operations["${address}"]: ${why}`);
}
