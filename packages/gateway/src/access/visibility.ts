import { addressKey, type HomeAddress } from '../addresses/address.ts';
import { AxpError, intentNotFound } from '../http/errors.ts';
import { isObject } from '../http/json.ts';
import type { AxpIntent } from '../intents/intent-state.ts';
import type { Caller } from './caller.ts';

/** What a caller may do with an intent. */
export type Right = 'see' | 'resume' | 'resolve' | 'update_controls' | 'update_policy';

/**
 * @throws AxpError 404 for an intent that is not the caller's to see, 403 for what it may see but not do.
 */
export function checkRight(
  caller: Caller,
  intent: AxpIntent,
  right: Right,
  home: HomeAddress,
): void {
  if (caller.kind === 'admin') return;
  if (caller.kind !== 'agent') throw intentNotFound(intent.record.id);
  const { to, from } = intent.envelope;
  const { address } = caller;
  if (address === to || isPendingWith(intent, address, home)) return;
  const granted = grantsOf(intent, address, home);
  if (granted.includes(right)) return;
  if (address !== from && granted.length === 0) throw intentNotFound(intent.record.id);
  // Its sender follows it, and may end it.
  if (address === from && right !== 'resume') return;
  if (right === 'see') return;
  throw new AxpError(403, 'policy_denied', 'This key may not do that with this intent.');
}

function isPendingWith({ state }: AxpIntent, address: string, home: HomeAddress): boolean {
  const { pendingWith } = state;
  return pendingWith?.type === 'agent' && addressKey(pendingWith.ref, home) === address;
}

/** What the policy of the intent lets this agent do in place of its own: `delegate:agent://…`. */
function grantsOf({ state }: AxpIntent, address: string, home: HomeAddress): readonly unknown[] {
  return Object.entries(state.grants).flatMap(([name, grant]) => {
    if (!name.startsWith('delegate:') || !isObject(grant)) return [];
    if (addressKey(name.slice('delegate:'.length), home) !== address) return [];
    return Array.isArray(grant['allow']) ? grant['allow'] : [];
  });
}
