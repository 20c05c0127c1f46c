import type { GatewayCore } from '../gateway-core.ts';
import type { Route } from '../http/route.ts';
import { listen } from './listen.ts';
import { getAgent, listAgents } from './read-agents.ts';

/** `/v1/agents` */
export function agentRoutes(core: GatewayCore): readonly Route[] {
  return [
    {
      method: 'GET',
      path: '/v1/agents/*/intents/stream',
      answer: (request) => listen(core, request),
    },
    { method: 'GET', path: '/v1/agents', answer: (request) => listAgents(core, request) },
    { method: 'GET', path: '/v1/agents/*', answer: (request) => getAgent(core, request) },
  ];
}
