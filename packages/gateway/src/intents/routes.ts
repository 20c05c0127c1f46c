import type { GatewayCore } from '../gateway-core.ts';
import type { Route } from '../http/route.ts';
import { bulkCancel } from './bulk-cancel.ts';
import { changeControls, changePolicy } from './controls.ts';
import { createIntent } from './create-intent.ts';
import { getIntent, listEvents, listIntents } from './read-intents.ts';
import { resolveIntent } from './resolve-intent.ts';
import { resumeIntent } from './resume-intent.ts';
import { streamEvents } from './stream-events.ts';

/** `/v1/intents`. */
export function intentRoutes(core: GatewayCore): readonly Route[] {
  return [
    { method: 'POST', path: '/v1/intents', answer: (request) => createIntent(core, request) },
    { method: 'GET', path: '/v1/intents', answer: (request) => listIntents(core, request) },
    {
      method: 'POST',
      path: '/v1/intents/bulk-cancel',
      answer: (request) => bulkCancel(core, request),
    },
    { method: 'GET', path: '/v1/intents/:id', answer: (request) => getIntent(core, request) },
    {
      method: 'GET',
      path: '/v1/intents/:id/events',
      answer: (request) => listEvents(core, request),
    },
    {
      method: 'GET',
      path: '/v1/intents/:id/events/stream',
      answer: (request) => streamEvents(core, request),
    },
    {
      method: 'POST',
      path: '/v1/intents/:id/resolve',
      answer: (request) => resolveIntent(core, request),
    },
    {
      method: 'POST',
      path: '/v1/intents/:id/resume',
      answer: (request) => resumeIntent(core, request),
    },
    {
      method: 'POST',
      path: '/v1/intents/:id/controls',
      answer: (request) => changeControls(core, request),
    },
    {
      method: 'POST',
      path: '/v1/intents/:id/policy',
      answer: (request) => changePolicy(core, request),
    },
  ];
}
