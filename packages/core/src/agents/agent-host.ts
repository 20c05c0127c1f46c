import type { IntentRecord } from '../state/intent.ts';
import type { AgentTarget } from './agent-ref.ts';

/** Largest payload of an agent's intent as JSON, in bytes: what the protocol of agents allows. */
export const MAX_AGENT_PAYLOAD_BYTES = 131_072;

/** What an agent is to do. */
export interface AgentWork extends AgentTarget {
  readonly payload: Readonly<Record<string, unknown>>;
}

/** A child that an agent works on, as its parent knows it. */
export interface AgentChild {
  readonly id: string;
  /** The agent's address. */
  readonly operation: string;
}

/**
 * Keeps the intents of agents, which are of a kind of their own: a gateway. Those that operations hand over
 * bear their parent's id, so that it is told of their end; one that COMPLETED has a result, and one that
 * FAILED an error.
 */
export interface AgentHost {
  /** Stores the intent of a task, unless that id is there already, and has it sent. Repeating it is safe. */
  store(parent: IntentRecord, id: string, task: AgentWork): Promise<void>;
  /**
   * Ends the intent of a parent that is about to end; one that is not there yet is stored as ended, since
   * the parent's handler may be about to store it. Repeating it is safe.
   */
  cancel(parent: IntentRecord, child: AgentChild, reason: string): Promise<void>;
}
