import { once } from 'node:events';
import { createServer, type RequestListener } from 'node:http';
import type { GatewayServer } from '@durable-api/conformance';

/** Listens on a free port; `stop` stops the API and then the server. */
export async function listenOn(
  listener: RequestListener,
  stopApi: (graceMs: number) => Promise<void>,
): Promise<GatewayServer> {
  const server = createServer(listener).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('No port was given.');
  return {
    baseUrl: `http://127.0.0.1:${address.port}`,
    async stop(graceMs) {
      await stopApi(graceMs);
      server.close();
      server.closeIdleConnections();
      await once(server, 'close');
    },
  };
}
