import { checkRight, type Right } from '../access/visibility.ts';
import type { GatewayCore } from '../gateway-core.ts';
import type { GatewayRequest } from '../http/route.ts';
import type { AxpIntent } from './intent-state.ts';

/** The intent that a request names, if it is the caller's. @throws AxpError 404, or 403 */
export async function findIntent(
  { store, home }: GatewayCore,
  { params, caller }: GatewayRequest,
  right: Right,
): Promise<AxpIntent> {
  const intent = await store.get(params['id']?.toLowerCase() ?? '');
  checkRight(caller, intent, right, home);
  return intent;
}
