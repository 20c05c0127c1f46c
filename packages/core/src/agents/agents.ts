import { HandlerFault } from '../handler-fault.ts';
import { isDurableError } from '../errors.ts';
import type { StartOptions } from '../handler/child.ts';
import type { PreparedChild } from '../handler/host.ts';
import { canonicalJson, hashParts } from '../http/fingerprint.ts';
import { checkPayload, checkPayloadSize, type PayloadLimits } from '../http/payload.ts';
import type { IntentRecord } from '../state/intent.ts';
import type { AgentChild, AgentHost, AgentWork } from './agent-host.ts';
import type { AgentTarget } from './agent-ref.ts';
import { agentPayloadLimits } from './payload-limits.ts';

/** The way to agents, once a gateway stands over the durable API. */
export class Agents {
  readonly #limits: PayloadLimits;
  #host: AgentHost | null = null;

  constructor(limits: PayloadLimits) {
    this.#limits = agentPayloadLimits(limits);
  }

  /** Whether a gateway stands over this API, in this process. */
  get isHosted(): boolean {
    return this.#host !== null;
  }

  take(host: AgentHost): void {
    this.#host = host;
  }

  /** Makes the input of an agent's intent. @throws HandlerFault `start_invalid` */
  prepare(target: AgentTarget, input: unknown, options: StartOptions): PreparedChild {
    const { address, intentType } = target;
    const refuse = (why: string): HandlerFault =>
      new HandlerFault('start_invalid', `start("${address}"): ${why}`);
    if (this.#host === null) throw refuse(NO_GATEWAY);
    const { params, query, headers, captured, key } = options;
    if ((params ?? query ?? headers ?? captured ?? key) !== undefined)
      throw refuse('an agent is given its input, no key, and nothing of a request.');
    if (input instanceof Uint8Array) throw refuse('an agent takes JSON, not bytes.');
    const payload = isObject(input) ? input : input === undefined ? {} : { body: input };
    try {
      checkPayload(payload, this.#limits);
      checkPayloadSize(JSON.stringify(payload), this.#limits);
    } catch (error) {
      if (!isDurableError(error)) throw error;
      throw refuse(error.message);
    }
    const task: AgentWork = { address, intentType, payload };
    const fingerprint = hashParts([address, canonicalJson(payload)]);
    return { operation: address, fingerprint, input: JSON.stringify(task) };
  }

  async store(parent: IntentRecord, id: string, { input }: PreparedChild): Promise<void> {
    const task: AgentWork = JSON.parse(input);
    await this.#there().store(parent, id, task);
  }

  /** Rejects when no gateway stands over this API: then another process has to do it. */
  async cancel(parent: IntentRecord, child: AgentChild, reason: string): Promise<void> {
    await this.#there().cancel(parent, child, reason);
  }

  #there(): AgentHost {
    if (this.#host === null) throw new Error(NO_GATEWAY);
    return this.#host;
  }
}

/** What is said where an agent is to be reached and no gateway is there. */
export const NO_GATEWAY: string =
  'no gateway stands over this durable API, so that no agent can be reached. Mount that of ' +
  '@durable-api/gateway in this process: app.use(gateway(api, { adminKeys })).';

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
