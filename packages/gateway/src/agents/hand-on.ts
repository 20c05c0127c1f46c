import type { IntentRecord } from '@durable-api/core';
import type { GatewayCore } from '../gateway-core.ts';
import type { Envelope } from '../intents/envelope.ts';
import { isForMailbox, isForOperation } from '../intents/intent-state.ts';
import { workOn } from '../operations/work-on.ts';
import type { Mailbox } from '../mailboxes/mailbox.ts';

/** The mailbox of an agent, by the key of its address. */
export function mailboxOf(core: GatewayCore, address: string): Mailbox {
  return core.mailboxes.get(`agent:${address}`);
}

/** Gives a new intent to whom it is for. If that is cut short, it is done when the intent is due. */
export async function handOn(
  core: GatewayCore,
  { id }: Pick<IntentRecord, 'id'>,
  envelope: Envelope,
): Promise<void> {
  try {
    if (isForOperation(envelope)) await workOn(core, id);
    else if (isForMailbox(envelope))
      await mailboxOf(core, envelope.to).add({ intentId: id, attempt: 1 });
  } catch (error) {
    core.ledger.logger.warn(
      { err: error, intentId: id },
      'An intent was not handed on; it will be',
    );
  }
}
