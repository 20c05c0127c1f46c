import type { Failure } from '@durable-api/protocol';
import type { OperationDefinition } from '../engine/operation.ts';
import { ChildError } from '../errors.ts';
import { valueOf } from '../handler/child.ts';
import { decodeInput } from '../http/input.ts';
import type { StoredResponse } from '../state/intent.ts';
import type { AgentTarget } from './agent-ref.ts';

/** Tells the agent's intent apart from what the handler itself starts. */
const NAME = '(the agent of the operation)';

/** The intent that an agent worked on was canceled, and with it the operation's. */
export class AgentCanceled extends Error {
  override readonly name = 'AgentCanceled';
}

/** The agent has failed: the operation has, in its words. */
export class AgentFailed extends Error {
  override readonly name = 'AgentFailed';
  readonly failure: Failure;

  constructor(failure: Failure) {
    super(failure.message);
    this.failure = failure;
  }
}

/**
 * What runs an operation whose work an agent does. `run`, its handler, says what the agent is given: its
 * answer, or the request's body where that is empty. An answer from 400 up is the end, and nobody is asked.
 */
export function handOver(
  run: OperationDefinition['run'],
  target: AgentTarget,
): OperationDefinition['run'] {
  return async (input, context) => {
    const made = await run(input, context);
    if (made.status >= 400) return made;
    const payload = made.body.byteLength === 0 ? decodeInput(input).body : valueOf(made);
    const child = await context.start(target, payload, { name: NAME });
    try {
      return answer(await child.result());
    } catch (error) {
      throw error instanceof ChildError ? meaningOf(error) : error;
    }
  };
}

/** The answer of an operation that has no handler: what the agent is given is the request's body. */
export const NO_ANSWER: StoredResponse = { status: 204, headers: {}, body: new Uint8Array() };

function answer(value: unknown): StoredResponse {
  const headers = { 'content-type': 'application/json; charset=utf-8' };
  return { status: 200, headers, body: Buffer.from(JSON.stringify(value ?? null)) };
}

function meaningOf({ code, message, failure }: ChildError): Error {
  if (code === 'child_canceled') return new AgentCanceled('The intent of the agent was canceled.');
  if (failure !== null) return new AgentFailed({ ...failure, retryable: false });
  return new AgentFailed({ code: code.replace('child_', 'agent_'), message, retryable: false });
}
