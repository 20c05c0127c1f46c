import type { Route } from '../http/route.ts';
import type { KillSwitch } from '../mesh/kill-switch.ts';
import type { Caller } from './caller.ts';

/** What an agent may still say that was cut off. */
const STILL = '/v1/mesh/heartbeat';

/** Refuses whatever an agent that was cut off would change. @throws AxpError 403 */
export async function mayGoOn(kills: KillSwitch, caller: Caller, route: Route): Promise<void> {
  if (caller.kind !== 'agent' || route.method === 'GET' || route.path === STILL) return;
  await kills.check(caller.address);
}
