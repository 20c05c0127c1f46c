import { snapshotSchema, submittedSchema, type WireSnapshot } from '@durable-api/protocol';
import type { AdapterData, AdapterServer } from './adapter.ts';
import { HttpClient, type Answer, type SendOptions } from './http-client.ts';
import type { StoreProbe } from './store-probe.ts';

/** An accepted submit. */
export interface Accepted {
  readonly id: string;
  readonly links: {
    readonly self: string;
    readonly events: string;
    readonly result: string;
    readonly cancel: string;
  };
  readonly answer: Answer;
}

const TERMINAL = new Set(['COMPLETED', 'FAILED', 'CANCELED', 'TIMED_OUT']);

/** A server under test, with a client for it. */
export class TestServer extends HttpClient {
  readonly probe: StoreProbe;
  /** What its store is on; another server started on it is the same API after a restart. */
  readonly data: AdapterData;
  /** The path of the base URL; empty, or like `/api`. */
  readonly prefix: string;
  readonly #server: AdapterServer;
  #stopped: Promise<void> | null = null;

  constructor(server: AdapterServer, probe: StoreProbe, data: AdapterData) {
    super(new URL(server.baseUrl).origin);
    this.#server = server;
    this.probe = probe;
    this.data = data;
    this.prefix = new URL(server.baseUrl).pathname.replace(/\/$/, '');
  }

  /** Submits JSON to the operation at `path`; fails unless it is accepted with 202. */
  async submit(path = '/op', json: unknown = {}, options: SendOptions = {}): Promise<Accepted> {
    const body = options.body === undefined ? { json } : {};
    const answer = await this.send('POST', this.prefix + path, { ...body, ...options });
    if (answer.status !== 202) throw new Error(`Not accepted: ${answer.status} ${answer.text}`);
    const { intent_id: id, links } = submittedSchema.parse(answer.json);
    return { id, links, answer };
  }

  /** The snapshot of an intent. */
  async snapshot({ links }: Accepted, options: SendOptions = {}): Promise<WireSnapshot> {
    return snapshotSchema.parse((await this.send('GET', links.self, options)).json);
  }

  /** Waits for the end of an intent and returns its snapshot. */
  async ended(accepted: Accepted, options: SendOptions = {}): Promise<WireSnapshot> {
    const headers = { ...options.headers, prefer: 'wait=10' };
    for (;;) {
      const snapshot = await this.snapshot(accepted, { ...options, headers });
      if (TERMINAL.has(snapshot.status)) return snapshot;
    }
  }

  /** Stops the durable API and the server, once. */
  stop(graceMs: number): Promise<void> {
    this.#stopped ??= this.#server.stop(graceMs);
    return this.#stopped;
  }
}
