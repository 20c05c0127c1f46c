import { checkRight } from '../access/visibility.ts';
import type { GatewayCore } from '../gateway-core.ts';
import { AxpError } from '../http/errors.ts';
import type { GatewayRequest } from '../http/route.ts';
import { actorOf } from '../intents/actor.ts';
import type { AxpIntent } from '../intents/intent-state.ts';
import { advance } from '../scenarios/advance.ts';
import { approveTask } from './answer-task.ts';

/** A yes or no, with what was said to it. */
export interface TaskDecision {
  readonly isApproved: boolean;
  readonly comment: string | undefined;
}

/**
 * Decides the task of an intent that waits for a person, without its form.
 * @throws AxpError 409 when it waits for nobody, 403 and 404 when it is not the caller's
 */
export async function decideTask(
  core: GatewayCore,
  request: GatewayRequest,
  intent: AxpIntent,
  { isApproved, comment }: TaskDecision,
): Promise<void> {
  checkRight(request.caller, intent, 'resume', core.home);
  const said = comment === undefined ? {} : { reason: comment };
  await core.store.change(intent, (current) => {
    if (current.record.waitingReason !== 'WAITING_FOR_HUMAN') {
      throw new AxpError(409, 'not_waiting_for_human', 'The intent does not wait for a person.');
    }
    return approveTask(current, isApproved, said, actorOf(request), core.ledger.now());
  });
  if (intent.envelope.scenario !== null) await advance(core, intent.record.id);
}
