import type { Operation } from '../engine/operation.ts';
import type { PayloadLimits } from '../http/payload.ts';
import { MAX_AGENT_PAYLOAD_BYTES } from './agent-host.ts';

/** What a payload may be that goes to an agent. */
export function agentPayloadLimits(limits: PayloadLimits): PayloadLimits {
  const maxPayloadBytes = Math.min(limits.maxPayloadBytes, MAX_AGENT_PAYLOAD_BYTES);
  return { ...limits, maxPayloadBytes };
}

/** What a request may bring: for who hands it to an agent, what the agent may be given. */
export function payloadLimitsOf({ options }: Operation, limits: PayloadLimits): PayloadLimits {
  return options.agent === null ? limits : agentPayloadLimits(limits);
}
