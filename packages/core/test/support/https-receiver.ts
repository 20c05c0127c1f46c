import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { createServer, type Server } from 'node:https';
import type { IncomingMessage, ServerResponse } from 'node:http';

/** The name that the certificate of an {@link HttpsReceiver} is for, beside 127.0.0.1. */
export const RECEIVER_HOST = 'hooks.example.com';

/** A certificate that is its own authority, and its key; both PEM. */
export interface Certificate {
  readonly cert: string;
  readonly key: string;
}

/** Makes one with openssl, for a day. */
export function makeCertificate(host: string = RECEIVER_HOST): Certificate {
  const names = `subjectAltName=DNS:${host},IP:127.0.0.1`;
  const pem = execFileSync(
    'openssl',
    [
      'req',
      '-x509',
      '-newkey',
      'ec',
      '-pkeyopt',
      'ec_paramgen_curve:P-256',
      '-nodes',
      '-days',
      '1',
      '-subj',
      `/CN=${host}`,
      '-addext',
      names,
      '-keyout',
      '-',
      '-out',
      '-',
    ],
    { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] },
  );
  const at = pem.indexOf('-----BEGIN CERTIFICATE-----');
  return { key: pem.slice(0, at), cert: pem.slice(at) };
}

/** What a receiver was sent. */
export interface Received {
  readonly method: string | undefined;
  readonly path: string | undefined;
  readonly headers: IncomingMessage['headers'];
  readonly body: string;
}

export type Answer = (received: Received, response: ServerResponse) => void;

/** A real HTTPS server on 127.0.0.1. */
export class HttpsReceiver {
  readonly received: Received[] = [];
  /** How many connections were made. */
  connections = 0;
  answer: Answer = (_, response) => response.writeHead(204).end();
  readonly #server: Server;

  private constructor(certificate: Certificate) {
    this.#server = createServer({ ...certificate }, (request, response) => {
      void this.#take(request, response);
    });
    this.#server.on('connection', () => (this.connections += 1));
    // A client that does not trust the certificate.
    this.#server.on('tlsClientError', () => {});
  }

  static async start(certificate: Certificate): Promise<HttpsReceiver> {
    const receiver = new HttpsReceiver(certificate);
    receiver.#server.listen(0, '127.0.0.1');
    await once(receiver.#server, 'listening');
    return receiver;
  }

  get port(): number {
    const address = this.#server.address();
    if (address === null || typeof address === 'string') throw new Error('It does not listen.');
    return address.port;
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections();
    this.#server.close();
    await once(this.#server, 'close');
  }

  async #take(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    await once(request, 'end');
    const { method, url: path, headers } = request;
    const received = { method, path, headers, body: Buffer.concat(chunks).toString('utf8') };
    this.received.push(received);
    this.answer(received, response);
  }
}
