import type { FullReply } from '@durable-api/core';
import type { GatewayCore } from '../gateway-core.ts';
import { invalid } from '../http/errors.ts';
import { field, optionalObject, optionalText } from '../http/fields.ts';
import type { GatewayRequest } from '../http/route.ts';
import { Draft } from '../lifecycle/draft.ts';
import { actorOf } from './actor.ts';
import { changeForCall } from './change-call.ts';
import { findIntent } from './find-intent.ts';
import type { IntentState } from './intent-state.ts';
import type { Changed } from './intent-store.ts';

/** `POST /v1/intents/{id}/controls` */
export async function changeControls(
  core: GatewayCore,
  request: GatewayRequest,
): Promise<FullReply> {
  const patch = optionalObject(field(request.body, 'controls_patch'), 'controls_patch');
  if (patch === undefined) throw invalid('controls_patch must be an object');
  return patchState(core, request, 'controls', ({ controls }) => ({
    controls: { ...controls, ...patch },
  }));
}

/** `POST /v1/intents/{id}/policy` */
export async function changePolicy(core: GatewayCore, request: GatewayRequest): Promise<FullReply> {
  const grants = optionalObject(field(request.body, 'grants_patch'), 'grants_patch');
  const envelope = optionalObject(field(request.body, 'envelope_patch'), 'envelope_patch');
  return patchState(core, request, 'policy', (state) => ({
    grants: { ...state.grants, ...grants },
    envelope: { ...state.envelope, ...envelope },
  }));
}

async function patchState(
  core: GatewayCore,
  request: GatewayRequest,
  what: 'controls' | 'policy',
  patch: (state: IntentState) => Partial<IntentState>,
): Promise<FullReply> {
  const intent = await findIntent(core, request, `update_${what}`);
  const reason = optionalText(field(request.body, 'reason'), 'reason', { max: 2_000 });
  const actor = actorOf(request);
  return changeForCall(core, request, intent, {
    endpoint: `/v1/intents/${intent.record.id}/${what}`,
    change: (current) => {
      const policyGeneration = current.state.policyGeneration + 1;
      const details = {
        policy_generation: policyGeneration,
        ...(reason !== undefined && { reason }),
      };
      return new Draft(current, core.ledger.now())
        .patch({ ...patch(current.state), policyGeneration })
        .event(`${what}_updated`, current.record.status, { actor, details });
    },
    answer: ({ intent: { state } }: Changed) => ({
      ok: true,
      applied: true,
      policy_generation: state.policyGeneration,
    }),
  });
}
