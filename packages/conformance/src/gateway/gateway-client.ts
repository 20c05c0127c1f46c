import { request } from 'node:http';
import { setImmediate } from 'node:timers/promises';
import { HttpClient, type Answer, type SendOptions } from '../adapter/http-client.ts';

/** The members of a JSON object, as a test looks at them. */
export type Json = Record<string, unknown>;

/** An event of a stream. */
export interface Frame {
  readonly id: string | undefined;
  readonly event: string;
  readonly data: Json;
}

/** A caller of the gateway, with one key. */
export class GatewayClient extends HttpClient {
  readonly prefix: string;
  readonly #key: string | undefined;

  constructor(baseUrl: string, key: string | undefined) {
    super(new URL(baseUrl).origin);
    this.prefix = new URL(baseUrl).pathname.replace(/\/$/, '');
    this.#key = key;
  }

  /** Sends a request with the key. */
  async call(method: string, path: string, options: SendOptions = {}): Promise<Answer> {
    const headers = {
      ...(this.#key !== undefined && { 'x-api-key': this.#key }),
      ...options.headers,
    };
    return this.send(method, this.prefix + path, { ...options, headers });
  }

  /** The body of an answer that must be 200. */
  async get(path: string, options: SendOptions = {}): Promise<Json> {
    return good(await this.call('GET', path, options), `GET ${path}`);
  }

  /** The same for a POST. */
  async post(path: string, json: unknown = {}, options: SendOptions = {}): Promise<Json> {
    const body = options.body === undefined ? { json } : {};
    return good(await this.call('POST', path, { ...body, ...options }), `POST ${path}`);
  }

  /** Creates an intent and returns its id. */
  async create(intent: Json = {}, options: SendOptions = {}): Promise<string> {
    const body = { intent_type: 'report.generate.v1', to_agent: RECEIVER, payload: {}, ...intent };
    return String((await this.post('/v1/intents', body, options))['intent_id']);
  }

  /** The intent as it is now. */
  async intent(id: string): Promise<Json> {
    return asJson((await this.get(`/v1/intents/${id}`))['intent']);
  }

  /** The events of an intent. */
  async events(id: string, since = 0): Promise<Json[]> {
    const { events } = await this.get(`/v1/intents/${id}/events?since=${since}`);
    return asList(events);
  }

  /** `created submitted …` */
  async eventTypes(id: string): Promise<string[]> {
    return (await this.events(id)).map((event) =>
      String(event['event_type']).replace('intent.', ''),
    );
  }

  /** Reads a stream to its end. */
  async stream(
    path: string,
  ): Promise<{ readonly text: string; readonly frames: readonly Frame[] }> {
    const answer = await this.call('GET', path);
    if (answer.status !== 200) throw new Error(`GET ${path}: ${answer.status} ${answer.text}`);
    return { text: answer.text, frames: framesOf(answer.text) };
  }

  /** Opens a stream; resolves when its head is there, to what resolves to all of it when it has ended. */
  open(path: string): Promise<{ readonly status: number; readonly text: Promise<string> }> {
    const headers = this.#key === undefined ? {} : { 'x-api-key': this.#key };
    return new Promise((resolve, reject) => {
      const sent = request(new URL(this.prefix + path, this.origin), { headers, agent: false });
      sent.on('error', reject);
      sent.on('response', (response) => {
        const text = (async () => {
          const chunks: Buffer[] = [];
          for await (const chunk of response) chunks.push(Buffer.from(chunk));
          return Buffer.concat(chunks).toString('utf8');
        })();
        text.catch(() => {});
        resolve({ status: response.statusCode ?? 0, text });
      });
      sent.end();
    });
  }

  /** Reads the next batch of an agent's stream. */
  async listen(address: string = RECEIVER, since = 0, waitSeconds = 5): Promise<readonly Frame[]> {
    const path = address.replace(/^agent:\/\//, '');
    const query = `since=${since}&wait_seconds=${waitSeconds}`;
    return (await this.stream(`/v1/agents/${path}/intents/stream?${query}`)).frames;
  }
}

/** The agent of tests that name none. */
export const RECEIVER = 'agent://conformance/production/receiver';

/** Intents of one millisecond have no order. */
export async function nextMillisecond(): Promise<void> {
  const now = Date.now();
  while (Date.now() === now) await setImmediate();
}

/** The frames of a whole stream. */
function framesOf(text: string): Frame[] {
  return text
    .split('\n\n')
    .filter((part) => part.trim() !== '' && !part.startsWith(':'))
    .map((part) => {
      const fields = Object.fromEntries(
        part.split('\n').map((line) => {
          const at = line.indexOf(': ');
          return [line.slice(0, at), line.slice(at + 2)];
        }),
      );
      const { id, event = '', data = '{}' } = fields;
      return { id, event, data: asJson(JSON.parse(data)) };
    });
}

/** A value that must be an object. */
export function asJson(value: unknown): Json {
  if (typeof value !== 'object' || value === null) throw new Error(`No object: ${String(value)}`);
  return { ...value };
}

/** A value that must be a list of objects. */
export function asList(value: unknown): Json[] {
  if (!Array.isArray(value)) throw new Error(`No list: ${String(value)}`);
  return value.map(asJson);
}

function good(answer: Answer, what: string): Json {
  if (answer.status !== 200) throw new Error(`${what}: ${answer.status} ${answer.text}`);
  return asJson(answer.json);
}
