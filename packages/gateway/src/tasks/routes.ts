import type { GatewayCore } from '../gateway-core.ts';
import type { Route } from '../http/route.ts';
import { listTasks } from './task-list.ts';

/** `/v1/me` */
export function taskRoutes(core: GatewayCore): readonly Route[] {
  return [{ method: 'GET', path: '/v1/me/tasks', answer: (request) => listTasks(core, request) }];
}
