import { randomUUID } from 'node:crypto';
import type { FullReply } from '@durable-api/core';
import { addressKey } from '../addresses/address.ts';
import type { GatewayCore } from '../gateway-core.ts';
import { AxpError } from '../http/errors.ts';
import { field } from '../http/fields.ts';
import { instant, isObject, type JsonObject } from '../http/json.ts';
import { ok, type GatewayRequest } from '../http/route.ts';
import { noteReplyThread } from '../inbox/reply-thread.ts';
import { idempotencyOf, keyReused } from '../intents/idempotent-call.ts';
import type { AxpIntent } from '../intents/intent-state.ts';
import { parseEnvelope } from '../intents/parse-envelope.ts';
import { advance } from './advance.ts';
import { readBundle, text } from './bundle.ts';

/** Who has a scenario between its steps. */
const AGENT_CORE = 'agent://agent_core';

/** `POST /v1/scenarios/validate`: 200 also for a bundle that is not valid. */
export function validate(core: GatewayCore, { body }: GatewayRequest): FullReply {
  const { scenario, findings } = readBundle(body, '', core.home);
  return ok({ ok: true, valid: scenario !== null, ...findings });
}

/** `POST /v1/scenarios/apply`: makes the agents that are missing, and begins. */
export async function apply(core: GatewayCore, request: GatewayRequest): Promise<FullReply> {
  const { body } = request;
  const { scenario, findings } = readBundle(body, randomUUID(), core.home);
  if (scenario === null) {
    const details = { errors: findings.errors };
    throw new AxpError(422, 'schema_invalid', findings.errors.join('; '), { details });
  }
  const agents = await ensureAgents(core, body);
  const intent = isObject(body['intent']) ? body['intent'] : {};
  const { human_task: _task, type: intent_type, payload = {}, ...others } = intent;
  const { envelope, deadlineAt } = parseEnvelope(
    { ...others, intent_type, payload: payload ?? {}, to_agent: AGENT_CORE },
    request.caller,
    core.home,
    core.ledger.now(),
  );
  const idempotency = identity(request, body);
  const stored = { ...envelope, scenario: { ...scenario } };
  await core.kills.check(envelope.from);
  const id = core.ledger.newId();
  await noteReplyThread(core, id, envelope);
  const { record, isNew } = await core.store.create(stored, { id, deadlineAt, idempotency });
  if (!isNew && record.idempotency?.fingerprint !== idempotency?.fingerprint) throw keyReused();
  if (isNew) await advance(core, record.id);
  return ok(applied(await core.store.get(record.id), agents, !isNew));
}

function applied(intent: AxpIntent, agents: readonly object[], idempotent: boolean): JsonObject {
  const { record, envelope, state } = intent;
  const compileId = envelope.scenario?.['compile_id'];
  return {
    ok: true,
    intent_id: record.id,
    scenario_id: envelope.scenario?.['scenario_id'],
    status: record.status === 'SUBMITTED' ? 'DELIVERED' : record.status,
    pending_with: state.pendingWith?.ref ?? null,
    compile_id: compileId,
    workflow_compile_id: compileId,
    idempotent,
    agents,
    agents_provisioned: agents,
    deadline_at: record.deadlineAt === null ? null : instant(record.deadlineAt),
    created_at: instant(record.createdAt),
  };
}

/** The key of the header or of the body; clients send both. */
function identity(request: GatewayRequest, body: JsonObject): ReturnType<typeof idempotencyOf> {
  const { caller, idempotencyKey = text(field(body, 'idempotency_key')) ?? undefined } = request;
  return idempotencyOf({ caller, idempotencyKey }, 'POST /v1/scenarios/apply', body);
}

async function ensureAgents(core: GatewayCore, body: JsonObject): Promise<readonly object[]> {
  const given: unknown = body['agents'];
  if (!Array.isArray(given)) return [];
  const agents: object[] = [];
  for (const agent of given.filter(isObject)) {
    const address = text(agent['address']);
    if (address === null || addressKey(address, core.home) === null) continue;
    const isWanted = agent['create_if_missing'] === true;
    const made = isWanted ? await core.accounts.ensure(address, text(agent['display_name'])) : null;
    agents.push({ role: text(agent['role']) ?? address, address, created: made?.isNew ?? false });
  }
  return agents;
}
