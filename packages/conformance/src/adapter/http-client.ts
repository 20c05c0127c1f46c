import { Agent, request, type IncomingHttpHeaders, type IncomingMessage } from 'node:http';
import { EventStream } from './event-stream.ts';

/** What to send beside method and path. */
export interface SendOptions {
  readonly headers?: Readonly<Record<string, string>>;
  /** A JSON value. */
  readonly json?: unknown;
  /** A body as it is, instead; its type is `application/json` unless the headers say another. */
  readonly body?: string | Uint8Array;
  readonly signal?: AbortSignal;
}

/** A whole answer. */
export interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
  readonly text: string;
  /** The body as JSON; fails when it is none. */
  readonly json: unknown;
  /** Whether the request went over a connection that an earlier one had used. */
  readonly isReused: boolean;
}

/** A plain HTTP client over `node:http`, with connections of its own. */
export class HttpClient {
  /** Where the server listens. */
  readonly origin: string;
  readonly #agent = new Agent({ keepAlive: true });

  constructor(origin: string) {
    this.origin = origin;
  }

  /** Sends a request and reads the whole answer. */
  async send(method: string, path: string, options: SendOptions = {}): Promise<Answer> {
    const { response, isReused } = await this.#open(method, path, options);
    const chunks: Buffer[] = [];
    for await (const chunk of response) chunks.push(Buffer.from(chunk));
    const body = Buffer.concat(chunks);
    return {
      status: response.statusCode ?? 0,
      headers: response.headers,
      body,
      text: body.toString('utf8'),
      get json(): unknown {
        return JSON.parse(body.toString('utf8'));
      },
      isReused,
    };
  }

  /** Sends a request that accepts `text/event-stream` and resolves with the head of the answer. */
  async observe(
    path: string,
    { method = 'GET', ...options }: SendOptions & { readonly method?: string } = {},
  ): Promise<EventStream> {
    const headers = { accept: 'text/event-stream', ...options.headers };
    return new EventStream((await this.#open(method, path, { ...options, headers })).response);
  }

  /** Closes all connections, also those in use. */
  close(): void {
    this.#agent.destroy();
  }

  #open(
    method: string,
    path: string,
    options: SendOptions,
  ): Promise<{ response: IncomingMessage; isReused: boolean }> {
    const body = options.json === undefined ? options.body : JSON.stringify(options.json);
    const headers: Record<string, string | number> = { ...options.headers };
    if (body !== undefined) {
      headers['content-type'] ??= 'application/json';
      headers['content-length'] = Buffer.byteLength(body);
    }
    const url = new URL(path, this.origin);
    return new Promise((resolve, reject) => {
      const { signal } = options;
      const sent = request(url, { method, headers, agent: this.#agent, ...(signal && { signal }) });
      sent.on('error', reject);
      sent.on('response', (response) => resolve({ response, isReused: sent.reusedSocket }));
      sent.end(body);
    });
  }
}
