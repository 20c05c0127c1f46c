import type { GatewayCore } from '../gateway-core.ts';
import { ok, type GatewayRequest, type Route } from '../http/route.ts';

/** What this gateway can do, by the names that clients of the protocol look for. */
const CAPABILITIES: readonly string[] = [
  'intents',
  'intent_events',
  'intent_stream',
  'intent_resume',
  'intent_resolve',
  'intent_controls',
  'intent_policy',
  'agent_stream',
  'agent_leases',
  'scenarios',
  'human_tasks',
  'service_accounts',
  'inbox',
  'inbox_changes',
  'approvals',
  'schemas',
  'mesh',
];

/** Names of kinds, as the protocol wants them: an intent may be of any type. */
const INTENT_TYPES: readonly string[] = [
  'intent.request.v1',
  'intent.task.v1',
  'intent.message.v1',
  'intent.approval.v1',
  'intent.scenario.v1',
];

/** What a client asks a gateway about itself. */
export function discoveryRoutes({ options, ledger }: GatewayCore): readonly Route[] {
  const capabilities = [...CAPABILITIES, ...(ledger.webhooks === null ? [] : ['webhooks'])];
  return [
    {
      method: 'GET',
      path: '/v1/capabilities',
      answer: () => ok({ ok: true, capabilities, supported_intent_types: INTENT_TYPES }),
    },
    {
      method: 'GET',
      path: '/v1/portal/personal/context',
      answer: (request) => context(request, options),
    },
  ];
}

/** What `axme whoami` shows. A gateway has one workspace, and no accounts of people. */
function context(
  { caller }: GatewayRequest,
  { org, workspace }: GatewayCore['options'],
): ReturnType<typeof ok> {
  const selected = { org_id: org, workspace_id: workspace };
  return ok({
    ok: true,
    context: selected,
    account: { email: caller.kind === 'agent' ? caller.agent : caller.id },
    selected_workspace: selected,
    workspaces: [selected],
  });
}
