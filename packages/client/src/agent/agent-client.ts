import { DurableClient } from '../durable-client.ts';
import type { CallOptions, ObserveOptions, OnceOptions } from '../operation.ts';
import type { ClientOptions, HeaderRecord, ResolvedClientOptions } from '../options.ts';
import { Agent } from './agent.ts';
import {
  resolveAgentOptions,
  whole,
  type AgentHandler,
  type AgentOptions,
  type ListenOptions,
} from './agent-options.ts';
import { completed, type CompletedIntent } from './completed-intent.ts';
import type { Delivery } from './delivery.ts';
import { gatewayErrorOf } from './gateway-error.ts';
import { GatewayCalls } from './gateway-calls.ts';
import type { IntentRequest } from './intent-request.ts';
import { takeDeliveries } from './taken.ts';
import type { Intent, IntentEvent, JsonObject } from './wire.ts';

/** The options of an {@link AgentClient}. */
export interface AgentClientOptions extends ClientOptions {
  /** Sent as `x-api-key`: the key of an agent, or of an admin. */
  readonly apiKey?: string | undefined;
}

/** How the whole of an intent has ended. */
export interface IntentOutcome {
  readonly status: 'COMPLETED' | 'FAILED' | 'CANCELED';
  readonly result?: JsonObject | undefined;
  readonly error?: JsonObject | undefined;
  readonly reason?: string | undefined;
  /** Who says so. Default: whom the key belongs to. */
  readonly actor?: string | undefined;
}

/** A body of nothing but these asks the gateway to go on, and hands in nothing. */
const CONTROLS = [
  'actor',
  'reason',
  'approved_by',
  'expected_policy_generation',
  'internal_scheduler',
];

/**
 * A {@link DurableClient} that also speaks to the gateway: sends intents to agents, in whatever language they
 * are written, follows them, and is an agent itself.
 */
export class AgentClient extends DurableClient {
  readonly #options: ResolvedClientOptions;
  readonly #calls: GatewayCalls;

  /** @throws DurableClientError `usage` */
  constructor(baseUrl: string | URL, { apiKey, ...options }: AgentClientOptions = {}) {
    const { headers } = options;
    super(
      baseUrl,
      apiKey === undefined ? options : { ...options, headers: withKey(headers, apiKey) },
    );
    this.#options = { ...this.resolved, errorOf: gatewayErrorOf };
    this.#calls = new GatewayCalls(this.#options);
  }

  /**
   * Sends an intent, and resolves to its id once the gateway has stored it. It is one intent however often it
   * has to be sent.
   */
  sendIntent(intent: IntentRequest, options: OnceOptions = {}): Promise<string> {
    return this.#calls.create(intent, options);
  }

  /** An intent as it is now. An agent that reads what was sent to it, with its own key, has taken it. */
  getIntent(intentId: string, options: CallOptions = {}): Promise<Intent> {
    return this.#calls.get(intentId, options);
  }

  /**
   * The events of an intent in order, each once, until the terminal one; over restarts and lost connections.
   * @throws DurableClientError when the gateway refuses, for instance `intent_not_found`.
   */
  observe(
    intentId: string,
    { after = 0, signal }: ObserveOptions = {},
  ): AsyncGenerator<IntentEvent, void, undefined> {
    return this.#calls.observe(intentId, whole('after', 0, after), signal);
  }

  /**
   * Waits until an intent is COMPLETED, and resolves to it, with its `result`.
   * @throws OperationFailedError, OperationCanceledError, OperationTimedOutError by how else it ended.
   */
  async waitFor(intentId: string, { signal }: CallOptions = {}): Promise<CompletedIntent> {
    const events = this.observe(intentId, { signal });
    while ((await events.next()).done !== true);
    return completed(await this.getIntent(intentId, { signal }), this.#options.baseUrl);
  }

  /**
   * Hands in what came of an intent: it is COMPLETED with this result, or FAILED when its `action` or `outcome`
   * is `fail`, `error` or `reject`. With `task_result` it answers a task for a person.
   * @throws DurableClientError with status 409 when it has ended.
   */
  resume(intentId: string, result: JsonObject, options: OnceOptions = {}): Promise<Intent> {
    const isResult = Object.keys(result).some((name) => !CONTROLS.includes(name));
    const body = isResult ? result : { action: 'complete', ...result };
    return this.#calls.act(intentId, 'resume', body, options);
  }

  /** States how the whole of an intent has ended. @throws DurableClientError with status 409 when it has. */
  resolve(intentId: string, outcome: IntentOutcome, options: OnceOptions = {}): Promise<Intent> {
    return this.#calls.act(intentId, 'resolve', { ...outcome }, options);
  }

  /**
   * Listens on an agent's address. Each intent that is sent there comes at least once, and is taken when it
   * comes; hand in what came of it by {@link AgentClient.resume} or {@link AgentClient.resolve}.
   */
  listen(address: string, options?: ListenOptions): AsyncGenerator<Delivery, void, undefined>;
  /** Listens, and has `handler` do what is sent: an agent, at work at once. */
  listen(address: string, handler: AgentHandler, options?: AgentOptions): Agent;
  listen(
    address: string,
    handler: AgentHandler | ListenOptions = {},
    options: AgentOptions = {},
  ): Agent | AsyncGenerator<Delivery, void, undefined> {
    const [client, calls] = [this.#options, this.#calls];
    if (typeof handler !== 'function') return takeDeliveries(client, calls, address, handler);
    return new Agent({ client, calls, address, handler, options: resolveAgentOptions(options) });
  }
}

/** The headers of all requests, with the key among them. */
function withKey(
  headers: ClientOptions['headers'],
  apiKey: string,
): () => HeaderRecord | Promise<HeaderRecord> {
  const join = (own: HeaderRecord = {}): HeaderRecord => ({ ...own, 'x-api-key': apiKey });
  return () => {
    const own = typeof headers === 'function' ? headers() : headers;
    return own instanceof Promise ? own.then(join) : join(own);
  };
}
