import type { GatewayCore } from '../gateway-core.ts';
import { cancelWork } from '../operations/work-on.ts';
import { advance } from '../scenarios/advance.ts';
import type { AxpIntent } from './intent-state.ts';

/** An intent has ended: whatever it is a part of goes on, and its own parts end too. */
export async function tellOthers(core: GatewayCore, intent: AxpIntent): Promise<void> {
  const { origin, scenario } = intent.envelope;
  if (intent.state.operationIntent !== null) await cancelWork(core, intent);
  if (scenario !== null) await advance(core, intent.record.id);
  if (origin?.kind === 'scenario') await advance(core, origin.intentId);
}
