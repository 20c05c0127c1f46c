import type { GatewayCore } from '../gateway-core.ts';
import { ok, type Route } from '../http/route.ts';

/** `/health` and `/v1/health`: whether the store can be used. */
export function healthRoutes({ ledger, options }: GatewayCore): readonly Route[] {
  const answer: Route['answer'] = async () => {
    await ledger.get({ ids: [] });
    return ok({
      ok: true,
      service: 'durable-api-gateway',
      deployment_profile: options.open ? 'open' : 'self-hosted',
      storage: 'durable-api',
    });
  };
  return [
    { method: 'GET', path: '/health', isOpen: true, answer },
    { method: 'GET', path: '/v1/health', isOpen: true, answer },
  ];
}
