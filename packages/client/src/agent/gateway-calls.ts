import { HEADERS, isTerminal } from '@durable-api/protocol';
import { DurableClientError } from '../errors.ts';
import { request } from '../http.ts';
import type { CallOptions, OnceOptions } from '../operation.ts';
import { checkKey, newIdempotencyKey } from '../idempotency-key.ts';
import { usage, type ResolvedClientOptions } from '../options.ts';
import type { Guard } from '../wire.ts';
import { addressPath } from './address.ts';
import { follow } from './follow.ts';
import { encodeIntentRequest, type IntentRequest } from './intent-request.ts';
import {
  isCreated,
  isDeliveryEvent,
  isIntentAnswer,
  isIntentEvent,
  isIntentEventList,
  isClaimed,
  isLeaseOpened,
  isLeaseRenewed,
  isOk,
  type DeliveryEvent,
  type Intent,
  type IntentEvent,
  type JsonObject,
  type Claimed,
  type LeaseRenewed,
} from './wire.ts';

/** The calls of a gateway that are made of one intent or one agent. */
export class GatewayCalls {
  readonly #options: ResolvedClientOptions;

  constructor(options: ResolvedClientOptions) {
    this.#options = options;
  }

  /** The same calls, each sent once. */
  once(): GatewayCalls {
    return new GatewayCalls({ ...this.#options, retries: 0 });
  }

  async create(intent: IntentRequest, options: OnceOptions): Promise<string> {
    const body = encodeIntentRequest(intent);
    const { intent_id: id } = await this.#post('/v1/intents', body, isCreated, options);
    return id;
  }

  async get(intentId: string, { signal }: CallOptions): Promise<Intent> {
    const toSend = { method: 'GET', url: this.#intentUrl(intentId), signal } as const;
    const { intent } = await request(this.#options, toSend, isIntentAnswer);
    return intent;
  }

  /** Resumes or resolves. */
  async act(
    intentId: string,
    verb: 'resume' | 'resolve',
    body: JsonObject,
    options: OnceOptions,
  ): Promise<Intent> {
    const path = `/v1/intents/${encodeURIComponent(intentId)}/${verb}`;
    const { intent } = await this.#post(path, body, isIntentAnswer, options);
    return intent;
  }

  /** Opens a lease of an agent; resolves to its id. */
  async openLease(address: string, leaseMs: number): Promise<string> {
    const path = `/v1/agents/${addressPath(address)}/leases`;
    const body = { lease_seconds: Math.ceil(leaseMs / 1_000) };
    const { lease_id: id } = await this.#post(path, body, isLeaseOpened, {});
    return id;
  }

  /** Renews a lease; tells which of the intents are not held by it. */
  renewLease(
    address: string,
    leaseId: string,
    intentIds: readonly string[],
  ): Promise<LeaseRenewed> {
    const path = `/v1/agents/${addressPath(address)}/leases/${leaseId}/renew`;
    return this.#post(path, { intent_ids: intentIds }, isLeaseRenewed, {});
  }

  /** Ends a lease: what is held by it is sent again. */
  async endLease(address: string, leaseId: string): Promise<void> {
    const path = `/v1/agents/${addressPath(address)}/leases/${leaseId}/end`;
    await this.#post(path, {}, isOk, {});
  }

  /** Takes an intent under a lease. */
  claim(intentId: string, leaseId: string, { signal }: CallOptions): Promise<Claimed> {
    const path = `/v1/intents/${encodeURIComponent(intentId)}/claim`;
    return this.#post(path, { lease_id: leaseId }, isClaimed, { signal });
  }

  /** The events after a seq, each once, until the terminal one. */
  async *observe(
    intentId: string,
    after: number,
    signal: AbortSignal | undefined,
  ): AsyncGenerator<IntentEvent, void, undefined> {
    const url = `${this.#intentUrl(intentId)}/events`;
    const isOver = async (since: number): Promise<boolean> => {
      const { status } = await this.get(intentId, { signal });
      if (!isTerminal(status)) return false;
      const list = { method: 'GET', url: `${url}?since=${since}`, signal } as const;
      const { events } = await request(this.#options, list, isIntentEventList);
      return events.length === 0;
    };
    const stream = { url: `${url}/stream`, after, is: isIntentEvent, signal, isOver };
    let seen = after;
    for await (const event of follow(this.#options, stream)) {
      if (event.seq <= seen) continue;
      seen = event.seq;
      yield event;
      if (isTerminal(event.status)) return;
    }
  }

  /** What is sent to an agent after a cursor, for ever. */
  deliveries(
    address: string,
    after: number,
    signal: AbortSignal | undefined,
  ): AsyncGenerator<DeliveryEvent, void, undefined> {
    if (!Number.isSafeInteger(after) || after < 0) {
      throw usage(`after is the last cursor that is known, a whole number, not ${after}.`);
    }
    const url = `${this.#options.baseUrl}/v1/agents/${addressPath(address)}/intents/stream`;
    return follow(this.#options, { url, after, is: isDeliveryEvent, signal });
  }

  #intentUrl(intentId: string): string {
    return `${this.#options.baseUrl}/v1/intents/${encodeURIComponent(intentId)}`;
  }

  #post<T>(
    path: string,
    body: JsonObject,
    is: Guard<T>,
    { idempotencyKey = newIdempotencyKey(), signal }: OnceOptions,
  ): Promise<T> {
    const toSend = {
      method: 'POST',
      url: this.#options.baseUrl + path,
      headers: {
        [HEADERS.contentType]: 'application/json',
        [HEADERS.idempotencyKey]: checkKey(idempotencyKey),
      },
      body: JSON.stringify(body),
      signal,
    } as const;
    return request(this.#options, toSend, is);
  }
}

/** Whether the gateway says that there is no such thing, or no such call. */
export function isNotFound(error: unknown): boolean {
  return error instanceof DurableClientError && (error.status === 404 || error.status === 405);
}
