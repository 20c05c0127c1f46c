import { field, optionalText } from '../http/fields.ts';
import type { GatewayRequest } from '../http/route.ts';

/** Who acts: the agent of an agent's key, else whom the caller names. */
export function actorOf({ body, caller, ownerAgent }: GatewayRequest): string {
  if (caller.kind === 'agent') return caller.agent;
  const named = optionalText(field(body, 'actor', 'approved_by'), 'actor', { max: 383 });
  return named ?? ownerAgent ?? 'admin';
}
