import { agentTarget, isAgent, isAgentAddress, type AgentRef } from '../agents/agent-ref.ts';
import type { Agents } from '../agents/agents.ts';
import { isDurableError } from '../errors.ts';
import { HandlerFault } from '../handler-fault.ts';
import type { StartOptions } from '../handler/child.ts';
import type { ChildOperation, PreparedChild } from '../handler/host.ts';
import { canonicalJson, hashParts } from '../http/fingerprint.ts';
import { encodeInput } from '../http/input.ts';
import type { PayloadLimits } from '../http/payload.ts';
import { checkKey, ownPriority } from '../intents/lane-wish.ts';
import { ownDelayMs } from '../intents/start-at.ts';
import type { IntentRecord } from '../state/intent.ts';
import { ownWish } from '../webhooks/webhooks.ts';
import { withWebhook } from '../webhooks/wish.ts';
import type { DeclaredOperations } from './declared-operations.ts';
import type { Operation } from './operation.ts';
import type { Submitter } from './submitter.ts';

/** What children are started with. */
export interface ChildStarterSetup {
  readonly operations: DeclaredOperations;
  readonly agents: Agents;
  /** What stores them; made after this. */
  readonly submitter: () => Submitter;
  readonly limits: PayloadLimits;
}

/** Makes intents of what handlers start. */
export class ChildStarter {
  readonly #setup: ChildStarterSetup;

  constructor(setup: ChildStarterSetup) {
    this.#setup = setup;
  }

  newId({ operation, version, key }: Pick<PreparedChild, 'operation' | 'version' | 'key'>): string {
    const { submitter, operations } = this.#setup;
    return submitter().newId(operations.get(operation, version), key);
  }

  /**
   * Makes the input of a child of an intent of the operation `by`, as part of its trace.
   * @throws HandlerFault `start_invalid`
   */
  prepare(
    what: ChildOperation | AgentRef,
    body: unknown,
    options: StartOptions,
    trace: Readonly<Record<string, string>>,
    by: string,
  ): PreparedChild {
    if ('operation' in what && !isAgentAddress(what.operation))
      return this.#prepareOwn(what, body, options, trace);
    const agent = 'operation' in what ? what.operation : what;
    if (isAgent(agent)) return this.#setup.agents.prepare(agentTarget(agent, by), body, options);
    const message =
      `start(${JSON.stringify(agent)}): an agent is agent://organisation/workspace/name, or ` +
      '{ address, intentType } with a type such as report.generate.v1.';
    throw new HandlerFault('start_invalid', message);
  }

  #prepareOwn(
    { operation: name, version }: ChildOperation,
    body: unknown,
    { params = {}, query = {}, headers = {}, captured, key }: StartOptions,
    trace: Readonly<Record<string, string>>,
  ): PreparedChild {
    const operation = this.#operation(name, version);
    const rest = operation.compose({
      params,
      query,
      headers: { ...trace, ...headers },
      ...(captured !== undefined && { captured }),
    });
    try {
      const identity = { method: '', url: '' };
      const encoded = encodeInput({ identity, body, rest }, this.#setup.limits);
      const given = canonicalJson({ params, query, headers, captured, key });
      const fingerprint = hashParts([name, encoded.fingerprint(), given]);
      return {
        operation: name,
        ...(version !== undefined && { version }),
        ...(key !== undefined && { key: checkKey(key) }),
        fingerprint,
        input: withWebhook(encoded.json, ownWish(operation)),
      };
    } catch (error) {
      if (!isDurableError(error)) throw error;
      throw new HandlerFault('start_invalid', `start("${name}"): ${error.message}`);
    }
  }

  /** Stores the intent of an agent in the same way. */
  async storeAgents(parent: IntentRecord, id: string, child: PreparedChild): Promise<void> {
    await this.#setup.agents.store(parent, id, child);
  }

  /** Stores a child, unless it is there already. Repeating it after a failure is safe. */
  async store(
    parent: Pick<IntentRecord, 'id' | 'owner'>,
    id: string,
    child: PreparedChild,
    deadlineAt: number | null = null,
  ): Promise<void> {
    const operation = this.#operation(child.operation, child.version);
    const submitting = this.#setup.submitter().prepare({
      id,
      operation,
      owner: parent.owner,
      idempotency: null,
      parentIntentId: parent.id,
      ...(child.key !== undefined && { key: child.key }),
      input: child.input,
      priority: ownPriority(operation.options.lanes) ?? 0,
      ...(deadlineAt !== null && { deadlineAt }),
      start: { startAfterMs: ownDelayMs(operation.options.start) },
    });
    await submitting.store();
  }

  #operation(name: string, version: string | undefined): Operation {
    const { operations } = this.#setup;
    const operation = operations.get(name, version);
    if (operation !== undefined) return operation;
    const wanted = version === undefined ? 'no operation' : `no version ${version} of an operation`;
    const declared = operations.describe();
    const message = `start("${name}"): ${wanted} is called so in this process. Declared are: ${declared}.`;
    throw new HandlerFault('start_invalid', message);
  }
}
