import { once } from 'node:events';
import { NonRetryableError } from '@durable-api/core';
import type { ApiServerSetup } from '../../packages/client/test/api-server.ts';

/** What the scenario of the client needs on its server. */
export const operations: ApiServerSetup['operations'] = {
  echo: (body) => ({ received: body }),
  report: async (body, context) => {
    context.progress(0.5);
    await new Promise((resolve) => void setTimeout(resolve, 150));
    return body;
  },
  fail: () => {
    throw new NonRetryableError('No paper.');
  },
  endless: (_, { signal }) => once(signal, 'abort').then(() => signal.throwIfAborted()),
};
