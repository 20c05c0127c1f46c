import { setTimeout as delay } from 'node:timers/promises';
import { snapshotSchema, submittedSchema, type WireSnapshot } from '@durable-api/protocol';

/** A JSON client of one app. */
export class Client {
  readonly origin: string;
  readonly headers: Readonly<Record<string, string>>;

  constructor(origin: string, headers: Readonly<Record<string, string>> = {}) {
    this.origin = origin;
    this.headers = headers;
  }

  /** The same app, with these headers on every request. */
  as(headers: Readonly<Record<string, string>>): Client {
    return new Client(this.origin, { ...this.headers, ...headers });
  }

  send(method: string, path: string, body?: unknown, headers = {}): Promise<Response> {
    return fetch(this.origin + path, {
      method,
      headers: {
        ...(body !== undefined && { 'content-type': 'application/json' }),
        ...this.headers,
        ...headers,
      },
      ...(body !== undefined && { body: JSON.stringify(body) }),
    });
  }

  /** Submits, and waits until the result or failure is there. */
  result(path: string, body: unknown = {}): Promise<Response> {
    return this.send('POST', path, body, { prefer: 'wait=20' });
  }

  /** Submits, and returns the links of the intent. @throws Error unless it is accepted. */
  async submit(path: string, body: unknown = {}): Promise<Links> {
    const response = await this.send('POST', path, body);
    const text = await response.text();
    if (response.status !== 202) throw new Error(`Not accepted: ${response.status} ${text}`);
    const { intent_id: id, links } = submittedSchema.parse(JSON.parse(text));
    return { id, ...links };
  }

  /** Waits for the end of an intent. */
  async ended(links: Links): Promise<WireSnapshot> {
    for (;;) {
      const response = await this.send('GET', links.self, undefined, { prefer: 'wait=10' });
      const snapshot = snapshotSchema.parse(await response.json());
      if (['COMPLETED', 'FAILED', 'CANCELED', 'TIMED_OUT'].includes(snapshot.status)) {
        return snapshot;
      }
      await delay(1);
    }
  }
}

export interface Links {
  readonly id: string;
  readonly self: string;
  readonly events: string;
  readonly result: string;
  readonly cancel: string;
}
