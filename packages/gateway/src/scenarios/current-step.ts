import type { GatewayCore } from '../gateway-core.ts';
import type { AxpIntent } from '../intents/intent-state.ts';

/** The intent of the step that a scenario is at; the intent itself when it is none, or at no agent's. */
export async function currentStep({ store }: GatewayCore, intent: AxpIntent): Promise<AxpIntent> {
  const childId = intent.state.workflow?.['child_id'];
  if (typeof childId !== 'string') return intent;
  const [child] = await store.find([childId]);
  return child ?? intent;
}
