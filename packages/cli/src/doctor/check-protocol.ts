import { connect } from 'node:tls';
import { finding, type Finding } from './finding.ts';

/** Which HTTP version browsers get, since HTTP/1.1 gives them six connections for all tabs. */
export async function checkProtocol({ protocol, hostname, port }: URL): Promise<Finding> {
  const advice =
    'Browsers open at most six connections to an origin over HTTP/1.1, and each stream takes one. ' +
    'Serve HTTP/2, for instance by a proxy with TLS.';
  if (protocol !== 'https:') return finding('HTTP version', 'warn', `HTTP/1.1. ${advice}`);
  const { promise, resolve } = Promise.withResolvers<string>();
  const socket = connect({
    host: hostname,
    port: port === '' ? 443 : Number(port),
    servername: hostname,
    ALPNProtocols: ['h2', 'http/1.1'],
    timeout: 5_000,
  });
  socket.once('secureConnect', () => resolve(String(socket.alpnProtocol)));
  socket.once('error', (error) => resolve(error.message));
  socket.once('timeout', () => resolve('no answer'));
  const version = await promise;
  socket.destroy();
  if (version === 'h2') return finding('HTTP version', 'ok', 'HTTP/2.');
  return finding('HTTP version', 'warn', `Not HTTP/2 (${version}). ${advice}`);
}
