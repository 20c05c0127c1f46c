import { DurableClientError } from '../errors.ts';
import { newIdempotencyKey } from '../idempotency-key.ts';
import type { ResolvedClientOptions } from '../options.ts';
import { persist } from '../reconnecting.ts';
import { untilAborted } from '../until-aborted.ts';
import { isRecord, isText } from '../wire.ts';
import type { AgentHandler, ResolvedAgentOptions } from './agent-options.ts';
import { toDelivery, type Delivery } from './delivery.ts';
import type { GatewayCalls } from './gateway-calls.ts';
import type { AgentLease } from './agent-lease.ts';
import type { DeliveryEvent, JsonObject } from './wire.ts';

/** What the works of an agent share. */
export interface WorkSetup {
  readonly client: ResolvedClientOptions;
  /** Each sent once: the work tries them again itself, for as long as it takes. */
  readonly calls: GatewayCalls;
  readonly lease: AgentLease;
  readonly address: string;
  readonly handler: AgentHandler;
  readonly options: ResolvedAgentOptions;
}

/** One intent that an agent works on: takes it, keeps it meanwhile, and hands in what comes of it. */
export class Work {
  readonly #setup: WorkSetup;
  readonly #event: DeliveryEvent;
  readonly #abort = new AbortController();
  #isClaimed = false;
  #isGivenUp = false;

  constructor(setup: WorkSetup, event: DeliveryEvent) {
    this.#setup = setup;
    this.#event = event;
  }

  /** Whether the agent has it. */
  get isClaimed(): boolean {
    return this.#isClaimed;
  }

  /** Resolves to whether there is nothing left to do: the work was not given up. Never rejects. */
  async run(): Promise<boolean> {
    const { lease, options } = this.#setup;
    const { intent_id: id } = this.#event;
    const { signal } = this.#abort;
    try {
      const intent = await this.#persist(() => lease.claim(id, { signal }));
      if (intent === null) return true;
      this.#isClaimed = true;
      const outcome = this.#handle(toDelivery(this.#event, intent));
      await this.#handIn(await untilAborted(outcome, signal));
    } catch (error) {
      if (!signal.aborted) options.onError(error, id);
    }
    return !this.#isGivenUp;
  }

  /** The intent is the agent's no more: the handler is told, and what it still brings does not count. */
  lose(cause: unknown): void {
    const message = `The intent ${this.#event.intent_id} has ended, or another agent has it.`;
    this.#abort.abort(new DurableClientError('lease_lost', message, { cause }));
  }

  /** Gives the work up, so that another agent can do it. */
  giveUp(reason: unknown): void {
    this.#isGivenUp = true;
    this.#abort.abort(reason);
  }

  async #handle(delivery: Delivery): Promise<JsonObject> {
    const { handler, options } = this.#setup;
    const { signal } = this.#abort;
    try {
      const result = await handler(delivery, { signal });
      if (result !== undefined && !isRecord(result)) {
        throw new TypeError('An agent’s handler returns an object, or nothing.');
      }
      return { status: 'COMPLETED', result: result ?? {} };
    } catch (error) {
      if (!signal.aborted) options.onError(error, delivery.intentId);
      return failure(error);
    }
  }

  /** Hands an outcome in, however long the gateway is away. @throws what it has against it. */
  async #handIn(outcome: JsonObject): Promise<void> {
    const { calls, address, options } = this.#setup;
    const { intent_id: id } = this.#event;
    const once = { idempotencyKey: newIdempotencyKey(), signal: this.#abort.signal };
    const body = { ...outcome, actor: address };
    try {
      await this.#persist(() => calls.act(id, 'resolve', body, once));
    } catch (error) {
      if (!isUnfit(error) || outcome['status'] !== 'COMPLETED') throw error;
      options.onError(error, id);
      await this.#handIn(failure(error));
    }
  }

  #persist<T>(call: () => Promise<T>): Promise<T> {
    return persist(this.#setup.client, this.#abort.signal, call);
  }
}

/** Whether the gateway will never take what was handed in, being too large for instance. */
function isUnfit(error: unknown): boolean {
  return error instanceof DurableClientError && (error.status === 413 || error.status === 422);
}

/** What a handler has thrown, as the outcome of the intent. */
function failure(thrown: unknown): JsonObject {
  const { code, message, retryable } = isRecord(thrown) ? thrown : {};
  const error = {
    code: isText(code) ? code : 'handler_failed',
    message: isText(message) ? message : String(thrown),
    retryable: retryable !== false,
  };
  return { status: 'FAILED', error };
}
