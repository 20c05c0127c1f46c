import type { GatewayCore } from '../gateway-core.ts';
import type { Route } from '../http/route.ts';
import { apply, validate } from './apply.ts';

/** `/v1/scenarios` */
export function scenarioRoutes(core: GatewayCore): readonly Route[] {
  return [
    {
      method: 'POST',
      path: '/v1/scenarios/validate',
      answer: (request) => validate(core, request),
    },
    { method: 'POST', path: '/v1/scenarios/apply', answer: (request) => apply(core, request) },
  ];
}
