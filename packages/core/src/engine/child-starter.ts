import { agentTarget, isAgent, isAgentAddress, type AgentRef } from '../agents/agent-ref.ts';
import type { Agents } from '../agents/agents.ts';
import { isDurableError } from '../errors.ts';
import { HandlerFault } from '../handler-fault.ts';
import type { StartOptions } from '../handler/child.ts';
import type { PreparedChild } from '../handler/host.ts';
import { canonicalJson, hashParts } from '../http/fingerprint.ts';
import { encodeInput } from '../http/input.ts';
import type { PayloadLimits } from '../http/payload.ts';
import { ownPriority } from '../intents/lane-wish.ts';
import { ownDelayMs } from '../intents/start-at.ts';
import type { IntentRecord } from '../state/intent.ts';
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

  newId(operation: string): string {
    const { submitter, operations } = this.#setup;
    return submitter().newId(operations.get(operation));
  }

  /**
   * Makes the input of a child of an intent of the operation `by`, as part of its trace.
   * @throws HandlerFault `start_invalid`
   */
  prepare(
    what: string | AgentRef,
    body: unknown,
    options: StartOptions,
    trace: Readonly<Record<string, string>>,
    by: string,
  ): PreparedChild {
    if (typeof what === 'string' && !isAgentAddress(what))
      return this.#prepareOwn(what, body, options, trace);
    if (isAgent(what)) return this.#setup.agents.prepare(agentTarget(what, by), body, options);
    const message =
      `start(${JSON.stringify(what)}): an agent is agent://organisation/workspace/name, or ` +
      '{ address, intentType } with a type such as report.generate.v1.';
    throw new HandlerFault('start_invalid', message);
  }

  #prepareOwn(
    name: string,
    body: unknown,
    { params = {}, query = {}, headers = {}, captured }: StartOptions,
    trace: Readonly<Record<string, string>>,
  ): PreparedChild {
    const operation = this.#operation(name);
    const rest = operation.compose({
      params,
      query,
      headers: { ...trace, ...headers },
      ...(captured !== undefined && { captured }),
    });
    try {
      const identity = { method: '', url: '' };
      const encoded = encodeInput({ identity, body, rest }, this.#setup.limits);
      const given = canonicalJson({ params, query, headers, captured });
      const fingerprint = hashParts([name, encoded.fingerprint(), given]);
      return { operation: name, fingerprint, input: encoded.json };
    } catch (error) {
      if (!isDurableError(error)) throw error;
      throw new HandlerFault('start_invalid', `start("${name}"): ${error.message}`);
    }
  }

  /** Stores a child, unless it is there already. Repeating it after a failure is safe. */
  async store(parent: IntentRecord, id: string, child: PreparedChild): Promise<void> {
    if (isAgentAddress(child.operation)) return this.#setup.agents.store(parent, id, child);
    const operation = this.#operation(child.operation);
    const submitting = this.#setup.submitter().prepare({
      id,
      operation,
      owner: parent.owner,
      idempotency: null,
      parentIntentId: parent.id,
      input: child.input,
      priority: ownPriority(operation.options.lanes) ?? 0,
      start: { startAfterMs: ownDelayMs(operation.options.start) },
    });
    await submitting.store();
  }

  #operation(name: string): Operation {
    const { operations } = this.#setup;
    const operation = operations.get(name);
    if (operation !== undefined) return operation;
    const names = operations.names().join(', ');
    const message = `start("${name}"): no operation is called so in this process. Declared are: ${names}.`;
    throw new HandlerFault('start_invalid', message);
  }
}
