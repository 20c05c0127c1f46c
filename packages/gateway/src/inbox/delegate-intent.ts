import { isTerminal } from '@durable-api/protocol';
import { checkRight } from '../access/visibility.ts';
import { addressKey, canonicalAddress } from '../addresses/address.ts';
import type { GatewayCore } from '../gateway-core.ts';
import type { GatewayRequest } from '../http/route.ts';
import { actorOf } from '../intents/actor.ts';
import { Draft } from '../lifecycle/draft.ts';
import type { Thread } from './thread.ts';

/**
 * Lets another agent see, resume and resolve an intent that has not ended, beside the one that it was sent to.
 * One that its sender delegates stays as it is.
 * @throws AxpError 403 when the intent is not the caller's to resume
 */
export async function delegateIntent(
  core: GatewayCore,
  request: GatewayRequest,
  { intent, owner }: Thread,
  { to, note }: { readonly to: string; readonly note: string | undefined },
): Promise<void> {
  if (owner !== intent.envelope.to || isTerminal(intent.record.status)) return;
  checkRight(request.caller, intent, 'resume', core.home);
  const delegate = canonicalAddress(addressKey(to, core.home) ?? to);
  const name = `delegate:${delegate}`;
  await core.store.change(intent, (current) => {
    if (isTerminal(current.record.status)) return null;
    const details = { delegate_to: to, ...(note !== undefined && { note }) };
    return new Draft(current, core.ledger.now())
      .patch({
        grants: { ...current.state.grants, [name]: { allow: ['see', 'resume', 'resolve'] } },
        policyGeneration: current.state.policyGeneration + 1,
      })
      .event('transfer', current.record.status, {
        actor: actorOf(request),
        handler: delegate,
        details,
      });
  });
}
