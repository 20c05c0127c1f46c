import { answerOnce } from '../calls/answer-once.ts';
import type { GatewayCore } from '../gateway-core.ts';
import type { JsonObject } from '../http/json.ts';
import type { GatewayRequest, Route } from '../http/route.ts';
import { decideThread, delegateThread, deleteMessages, replyToThread } from './change-thread.ts';
import { getThread, listChanges, listInbox } from './read-inbox.ts';

/** `/v1/inbox`: what each agent has to do with which intents. */
export function inboxRoutes(core: GatewayCore): readonly Route[] {
  const post = (
    what: string,
    change: (core: GatewayCore, request: GatewayRequest) => Promise<JsonObject>,
  ): Route => ({
    method: 'POST',
    path: `/v1/inbox/:thread/${what}`,
    answer: (request) => {
      const endpoint = `POST /v1/inbox/${request.params['thread'] ?? ''}/${what}`;
      return answerOnce(core, request, endpoint, () => change(core, request));
    },
  });
  return [
    { method: 'GET', path: '/v1/inbox', answer: (request) => listInbox(core, request) },
    { method: 'GET', path: '/v1/inbox/changes', answer: (request) => listChanges(core, request) },
    { method: 'GET', path: '/v1/inbox/:thread', answer: (request) => getThread(core, request) },
    post('reply', replyToThread),
    post('delegate', delegateThread),
    post('approve', (_, request) => decideThread(core, request, true)),
    post('reject', (_, request) => decideThread(core, request, false)),
    post('messages/delete', deleteMessages),
  ];
}
