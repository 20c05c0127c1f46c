import { addressKey } from '../addresses/address.ts';
import type { GatewayCore } from '../gateway-core.ts';
import type { Envelope } from '../intents/envelope.ts';
import { recordId } from './thread.ts';
import { beginThread } from './thread-record.ts';

/**
 * Makes the thread by which whoever an intent replies to finds its end. Before the intent is stored, so that no
 * end is missing from an inbox; one whose intent is never stored is not seen, and removed.
 */
export async function noteReplyThread(
  { ledger, home }: GatewayCore,
  intentId: string,
  { replyTo, to }: Envelope,
): Promise<void> {
  const owner = replyTo === null ? null : addressKey(replyTo, home);
  if (owner === null || owner === to) return;
  await beginThread(ledger, { id: recordId(intentId, owner, to), intentId, owner });
}
