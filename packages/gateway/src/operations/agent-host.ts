import type { AgentChild, AgentHost, AgentWork, IntentRecord } from '@durable-api/core';
import { isTerminal } from '@durable-api/protocol';
import { addressKey } from '../addresses/address.ts';
import { handOn } from '../agents/hand-on.ts';
import type { GatewayCore } from '../gateway-core.ts';
import type { Envelope } from '../intents/envelope.ts';
import { DELIVERY_ATTEMPTS } from '../intents/parse-envelope.ts';
import { operationRef } from './operation-ref.ts';
import { resolve, timeOut } from '../lifecycle/ending.ts';

/** What operations hand to agents is kept here: as intents of the gateway, and children of the operation's. */
export function agentHost(core: GatewayCore): AgentHost {
  return {
    async store(parent, id, task) {
      const created = await create(core, parent, id, envelopeOf(core, parent, task));
      if (created.isNew) await handOn(core, created.record, created.envelope);
    },
    async cancel(parent, child, reason) {
      const [found] = await core.store.find([child.id]);
      const intent = found ?? (await createNever(core, parent, child));
      await core.store.change(intent, (one) => {
        if (isTerminal(one.record.status)) return null;
        const now = core.ledger.now();
        const { deadlineAt } = one.record;
        // Both have one deadline, and whoever looks first finds the other.
        if (deadlineAt !== null && deadlineAt <= now) return timeOut(one, now);
        return resolve(one, 'CANCELED', { reason }, 'gateway', now);
      });
    },
  };
}

async function createNever(core: GatewayCore, parent: IntentRecord, child: AgentChild) {
  const task = { address: child.operation, intentType: 'operation.canceled.v1', payload: {} };
  await create(core, parent, child.id, envelopeOf(core, parent, task));
  return core.store.get(child.id);
}

function create(core: GatewayCore, parent: IntentRecord, id: string, envelope: Envelope) {
  const { deadlineAt } = parent;
  const parentIntentId = parent.id;
  return core.store.create(envelope, { id, deadlineAt, parentIntentId, idempotency: null });
}

function envelopeOf(
  { home }: GatewayCore,
  parent: IntentRecord,
  { address, intentType, payload }: AgentWork,
): Envelope {
  const fromAgent = operationRef(parent.operation);
  return {
    intentType,
    // The same for all that comes of one request.
    correlationId: parent.id,
    fromAgent,
    toAgent: address,
    replyTo: null,
    to: addressKey(address, home) ?? address,
    from: fromAgent,
    payload,
    maxDeliveryAttempts: DELIVERY_ATTEMPTS,
    reminding: null,
    humanTask: null,
    origin: { kind: 'operation', intentId: parent.id, stepId: null },
    scenario: null,
    createdBy: fromAgent,
  };
}
