import { memoryStore } from '@durable-api/core';
import fastify, {
  type FastifyInstance,
  type FastifyServerOptions,
  type LightMyRequestResponse,
} from 'fastify';
import oldest from 'fastify50';
import { afterEach } from 'vitest';
import { durableApi, type DurableApiPluginOptions } from '../src/index.ts';

/** The oldest Fastify that the package works with. */
export const fastify50: typeof fastify = asFastify(oldest);

const started: FastifyInstance[] = [];

afterEach(async () => {
  for (const app of started.splice(0)) await app.close();
});

/** An app that a test declares its routes in; closed after the test. */
export async function createApp(
  options: Partial<DurableApiPluginOptions> = {},
  server: FastifyServerOptions = {},
): Promise<FastifyInstance> {
  const app = fastify(server);
  started.push(app);
  await app.register(durableApi, {
    store: memoryStore(),
    random: () => 0,
    graceMs: 0,
    ...options,
  });
  return app;
}

/** What to submit. */
export interface Submit {
  readonly url?: string;
  readonly body?: object;
  readonly headers?: Readonly<Record<string, string>>;
}

/** Submits and waits for the handler's own response. */
export function run(
  app: FastifyInstance,
  { url = '/op', body = {}, headers = {} }: Submit = {},
): Promise<LightMyRequestResponse> {
  return app.inject({
    method: 'POST',
    url,
    payload: body,
    headers: { prefer: 'wait=10', ...headers },
  });
}

/** Submits and resolves to the path of the intent. */
export async function submit(app: FastifyInstance, options: Submit = {}): Promise<string> {
  const { headers } = options;
  const answer = await run(app, { ...options, headers: { ...headers, prefer: 'respond-async' } });
  if (answer.statusCode !== 202) throw new Error(`Not accepted: ${answer.body}`);
  return String(answer.headers.location);
}

/** Waits for the end of the intent at `path` and resolves to its snapshot. */
export async function ended(
  app: FastifyInstance,
  path: string,
  headers: Readonly<Record<string, string>> = {},
): Promise<Readonly<Record<string, unknown>>> {
  for (;;) {
    const answer = await app.inject({ url: path, headers: { prefer: 'wait=10', ...headers } });
    if (answer.statusCode >= 400)
      throw new Error(`No snapshot: ${answer.statusCode} ${answer.body}`);
    const snapshot: Record<string, unknown> = answer.json();
    if (['COMPLETED', 'FAILED', 'CANCELED', 'TIMED_OUT'].includes(String(snapshot['status']))) {
      return snapshot;
    }
  }
}

// The types of two versions of one package are not compatible, although all that is used of them is.
function asFastify(create: unknown): typeof fastify {
  if (!isFastify(create)) throw new TypeError('Not Fastify.');
  return create;
}

function isFastify(create: unknown): create is typeof fastify {
  return typeof create === 'function' && 'errorCodes' in create;
}
