import type { FullReply } from '@durable-api/core';
import { answerOnce } from '../calls/answer-once.ts';
import type { GatewayCore } from '../gateway-core.ts';
import { AxpError, invalid } from '../http/errors.ts';
import { field, optionalObject, optionalText, queryInteger } from '../http/fields.ts';
import type { JsonObject } from '../http/json.ts';
import { ok, type GatewayRequest, type Route } from '../http/route.ts';
import { actorOf } from '../intents/actor.ts';
import { checkMayAct, keyOf } from '../intents/parse-envelope.ts';
import type { ServiceAccount } from '../provisioning/accounts.ts';
import { addressKey } from '../addresses/address.ts';
import { HEALTH, healthOf, meshAgent } from './mesh-agent.ts';
import type { AgentMetrics } from './heartbeats.ts';

/** How many days the windows are that clients ask for. */
const WINDOWS: ReadonlyMap<string, number> = new Map([
  ['hour', 1],
  ['day', 1],
  ['week', 7],
  ['month', 30],
  ['1h', 1],
  ['24h', 1],
  ['1d', 1],
  ['7d', 7],
  ['30d', 30],
]);
/** How many events of the mesh are looked at. */
const MAX_EVENTS = 500;
/** The largest number that an agent tells of itself. */
const MAX_COUNT = 1e12;

/** `/v1/mesh`: which agents are there, and which are cut off. */
export function meshRoutes(core: GatewayCore): readonly Route[] {
  const agents = '/v1/mesh/agents';
  return [
    {
      method: 'POST',
      path: '/v1/mesh/heartbeat',
      answer: (request) => heartbeat(core, request),
    },
    { method: 'GET', path: agents, answer: (request) => listAgents(core, request) },
    { method: 'GET', path: '/v1/mesh/events', answer: (request) => listEvents(core, request) },
    { method: 'GET', path: `${agents}/*`, answer: (request) => getAgent(core, request) },
    { method: 'POST', path: `${agents}/*/kill`, answer: (request) => set(core, request, true) },
    { method: 'POST', path: `${agents}/*/resume`, answer: (request) => set(core, request, false) },
  ];
}

/** An agent says that it is there; an admin may say so for one, by `owner_agent`. */
async function heartbeat(core: GatewayCore, request: GatewayRequest): Promise<FullReply> {
  const { body, caller, ownerAgent } = request;
  const metrics = metricsOf(optionalObject(field(body, 'metrics'), 'metrics'));
  const named = ownerAgent === undefined ? null : keyOf(ownerAgent, 'owner_agent', core.home);
  if (named !== null) checkMayAct(caller, named);
  const address = named ?? (caller.kind === 'agent' ? caller.address : null);
  if (address !== null) await core.heartbeats.note(address, metrics);
  return ok({ ok: true });
}

async function listAgents(
  core: GatewayCore,
  { query, caller }: GatewayRequest,
): Promise<FullReply> {
  const limit = queryInteger(query, 'limit', { min: 1, max: 1_000 }) ?? 100;
  const health = query.get('health');
  if (health !== null && !HEALTH.some((one) => one === health)) {
    throw invalid(`health must be one of ${HEALTH.join(', ')}`, { field: 'health' });
  }
  const [accounts, pulses] = await Promise.all([
    core.accounts.list(),
    core.heartbeats.read(daysOf(query)),
    core.kills.open(),
  ]);
  const now = core.ledger.now();
  const all = accounts
    .filter(({ address }) => caller.kind !== 'agent' || caller.address === address)
    .map((account) => ({ account, pulse: pulses.get(account.address) ?? null }))
    .map((one) => ({
      ...one,
      health: healthOf(one.pulse, core.kills.isKilled(one.account.address), now),
    }));
  const count = (wanted: string): number => all.filter((one) => one.health === wanted).length;
  const wanted = all.filter((one) => health === null || one.health === health).slice(0, limit);
  return ok({
    ok: true,
    agents: wanted.map(meshAgent),
    summary: {
      total: all.length,
      healthy: count('healthy'),
      degraded: count('degraded'),
      unreachable: count('unreachable'),
      killed: count('killed'),
      unknown: count('unknown'),
    },
  });
}

async function getAgent(core: GatewayCore, request: GatewayRequest): Promise<FullReply> {
  const account = await accountOf(core, request);
  checkMayAct(request.caller, account.address);
  return ok({ ok: true, agent: await agentNow(core, account, daysOf(request.query)) });
}

async function set(
  core: GatewayCore,
  request: GatewayRequest,
  isKilled: boolean,
): Promise<FullReply> {
  if (request.caller.kind !== 'admin') {
    throw new AxpError(403, 'policy_denied', 'Only an admin key may do that.');
  }
  const account = await accountOf(core, request);
  const endpoint = `POST ${account.id}/${isKilled ? 'kill' : 'resume'}`;
  return answerOnce(core, request, endpoint, async () => {
    const reason = optionalText(field(request.body, 'reason'), 'reason', { max: 2_000 });
    await core.kills.set(account.address, isKilled, actorOf(request), reason);
    return { ok: true, agent: await agentNow(core, account, 1) };
  });
}

async function listEvents(core: GatewayCore, request: GatewayRequest): Promise<FullReply> {
  if (request.caller.kind !== 'admin') {
    throw new AxpError(403, 'policy_denied', 'Only an admin key may see the events of the mesh.');
  }
  const limit = queryInteger(request.query, 'limit', { min: 1, max: MAX_EVENTS }) ?? 50;
  const type = request.query.get('event_type');
  const events = (await core.kills.events(MAX_EVENTS)).filter(
    (event) => type === null || event['event_type'] === type,
  );
  return ok({ ok: true, events: events.slice(0, limit) });
}

async function agentNow(
  core: GatewayCore,
  account: ServiceAccount,
  days: number,
): Promise<JsonObject> {
  const pulse = (await core.heartbeats.read(days)).get(account.address) ?? null;
  await core.kills.open();
  const health = healthOf(pulse, core.kills.isKilled(account.address), core.ledger.now());
  return meshAgent({ account, pulse, health });
}

/** The agent of a path: by the id of its account, or its address. @throws AxpError 404 */
async function accountOf(core: GatewayCore, { params }: GatewayRequest): Promise<ServiceAccount> {
  const given = params['address'] ?? '';
  const address = addressKey(given, core.home);
  const account =
    (await core.accounts.get(given)) ??
    (address === null ? null : await core.accounts.ofAddress(address));
  if (account !== null) return account;
  throw new AxpError(404, 'agent_not_found', 'There is no such agent.');
}

function daysOf(query: URLSearchParams): number {
  return WINDOWS.get(query.get('window') ?? 'day') ?? 1;
}

function metricsOf(given: JsonObject | undefined): AgentMetrics | null {
  if (given === undefined) return null;
  const number = (name: string): number => {
    const value = field(given, name) ?? 0;
    if (typeof value === 'number' && value >= 0 && value <= MAX_COUNT) return value;
    throw invalid(`metrics.${name} must be a number of 0 or more`, { field: name });
  };
  return {
    intentsTotal: number('intents_total'),
    intentsSucceeded: number('intents_succeeded'),
    intentsFailed: number('intents_failed'),
    costUsd: number('cost_usd'),
    avgLatencyMs: field(given, 'avg_latency_ms') === undefined ? null : number('avg_latency_ms'),
  };
}
