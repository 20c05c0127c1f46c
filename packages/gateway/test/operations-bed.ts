import type { AdapterData, GatewayServer } from '@durable-api/conformance';
import {
  durableApi,
  memoryStore,
  type DurableApiOptions,
  type OperationOptions,
} from '@durable-api/express';
import { memoryData, type Ledger } from '@durable-api/core';
import express, { type Express, type Request } from 'express';
import { onTestFinished } from 'vitest';
import { gateway, type GatewayOptions } from '../src/index.ts';
import { listenOn } from './listen-on.ts';

export type Api = ReturnType<typeof durableApi>;
type Json = Record<string, unknown>;

/** What a test wants of a process. */
export interface ProcessSetup {
  readonly data?: AdapterData;
  readonly api?: Partial<DurableApiOptions<Request>>;
  /** Null for none. */
  readonly gateway?: GatewayOptions | null;
  /** Declares the operations. */
  readonly declare: (api: Api, app: Express) => void;
}

/** A server of an Express app with operations and a gateway, and its callers. */
export class OperationsProcess {
  readonly url: string;
  readonly ledger: Ledger;
  readonly api: Api;
  readonly stop: () => Promise<void>;

  constructor(server: GatewayServer, api: Api) {
    this.url = server.baseUrl;
    this.api = api;
    this.ledger = api.ledger;
    let stopped: Promise<void> | null = null;
    this.stop = () => (stopped ??= server.stop(0));
  }

  async send(method: string, path: string, body?: unknown, headers: Record<string, string> = {}) {
    const answer = await fetch(this.url + path, {
      method,
      headers: { 'content-type': 'application/json', ...headers },
      ...(body !== undefined && { body: JSON.stringify(body) }),
    });
    const text = await answer.text();
    const json: Json = text === '' ? {} : JSON.parse(text);
    return { status: answer.status, json, headers: answer.headers };
  }

  /** Submits at `/reports` and resolves to the path of the intent. */
  async submit(body: unknown = { quarter: 'Q3' }): Promise<string> {
    const { status, json, headers } = await this.send('POST', '/reports', body);
    if (status !== 202) throw new Error(`Answered ${status}: ${JSON.stringify(json)}`);
    return String(headers.get('location'));
  }

  async snapshot(path: string): Promise<Json> {
    return (await this.send('GET', path)).json;
  }

  /** The snapshot once the intent has ended. */
  async end(path: string): Promise<Json> {
    for (;;) {
      const { json } = await this.send('GET', path, undefined, { prefer: 'wait=10' });
      if (['COMPLETED', 'FAILED', 'CANCELED', 'TIMED_OUT'].includes(String(json['status'])))
        return json;
    }
  }

  async events(path: string): Promise<Json[]> {
    const headers = { accept: 'application/json' };
    const { json } = await this.send('GET', `${path}/events`, undefined, headers);
    const { events } = json;
    return Array.isArray(events) ? events : [];
  }

  /** What an agent is sent next. */
  async listen(agent: string, since = 0): Promise<Json> {
    const path = `/v1/agents/${agent}/intents/stream?since=${since}&wait_seconds=20`;
    const text = await (await fetch(this.url + path)).text();
    return JSON.parse(/^data: (.*)$/m.exec(text)?.[1] ?? '{}');
  }

  /** The intent of the gateway. */
  async axp(id: unknown): Promise<Json> {
    const { json } = await this.send('GET', `/v1/intents/${String(id)}`);
    return Object(json['intent']);
  }

  /** `created submitted …` of an intent of the gateway. */
  async axpEvents(id: unknown): Promise<string[]> {
    const { json } = await this.send('GET', `/v1/intents/${String(id)}/events`);
    const { events } = json;
    return (Array.isArray(events) ? events : []).map((event: Json) =>
      String(event['event_type']).replace('intent.', ''),
    );
  }

  /** All intents of the gateway. */
  async axpIntents(): Promise<Json[]> {
    const { intents } = (await this.send('GET', '/v1/intents')).json;
    return Array.isArray(intents) ? intents : [];
  }
}

/** Starts a process; it is stopped after the test. */
export async function startProcess(setup: ProcessSetup): Promise<OperationsProcess> {
  const { data = inMemory(), api: options, gateway: ofGateway = { open: true }, declare } = setup;
  const api = durableApi({ store: await data.open(), ...options });
  const app = express();
  if (ofGateway !== null) app.use(gateway(api, ofGateway));
  app.use(express.json({ limit: '1mb' }));
  declare(api, app);
  const server = await listenOn(app, (graceMs) => api.stop({ graceMs }));
  const process = new OperationsProcess(server, api);
  onTestFinished(process.stop);
  return process;
}

/** Data that outlives a process. */
export function inMemory(): AdapterData {
  const data = memoryData();
  return { open: () => memoryStore(data), dispose: () => {} };
}

/** An operation at `/reports` whose work an agent does. */
export function handedOver(agent: string, options: OperationOptions = {}) {
  return (api: Api, app: Express): void => {
    app.use('/reports', api.operation({ name: 'reports.generate', ...options, agent }));
  };
}
