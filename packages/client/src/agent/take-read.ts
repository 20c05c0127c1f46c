import { isTerminal } from '@durable-api/protocol';
import type { CallOptions } from '../operation.ts';
import type { GatewayCalls } from './gateway-calls.ts';
import type { Intent } from './wire.ts';

/**
 * Takes an intent as the protocol has it; null when it has ended. Who reads it with the agent's own key has taken
 * it by that, all others say so.
 */
export async function takeRead(
  { calls, address }: { readonly calls: GatewayCalls; readonly address: string },
  intentId: string,
  options: CallOptions,
): Promise<Intent | null> {
  const intent = await calls.get(intentId, options);
  if (isTerminal(intent.status)) return null;
  if (!['CREATED', 'SUBMITTED', 'DELIVERED'].includes(intent.status)) return intent;
  return calls.act(intentId, 'resume', { actor: address }, options);
}
