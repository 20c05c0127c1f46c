import { usage } from '../options.ts';
import type { Delivery } from './delivery.ts';
import type { JsonObject } from './wire.ts';

/** What a handler is given beside the delivery. */
export interface AgentContext {
  /**
   * Aborted when the work is in vain: the intent was canceled or has missed its deadline, another agent has it,
   * or the agent is stopped and its grace is over.
   */
  readonly signal: AbortSignal;
}

/**
 * Does what an intent asks for. What it returns is the intent's result; when it throws, the intent FAILED with
 * the error's `code` and `message`. It may be given an intent again, after a crash or a lost connection.
 */
export type AgentHandler = (
  delivery: Delivery,
  context: AgentContext,
) => JsonObject | void | Promise<JsonObject | void>;

/** How to listen. */
export interface ListenOptions {
  /**
   * The cursor after which to begin. Default 0: with all that has not ended, so that nothing is lost when no
   * cursor is kept.
   */
  readonly after?: number | undefined;
  /** Stops listening. */
  readonly signal?: AbortSignal | undefined;
}

/** How an agent works. */
export interface AgentOptions extends ListenOptions {
  /** How many intents it works on at once. Default 1. */
  readonly concurrency?: number | undefined;
  /**
   * How long an intent is the agent's without word from it; renewed at a third of this. After a crash it is sent
   * again when this is over. Whole seconds count. Default 15,000 ms.
   */
  readonly leaseMs?: number | undefined;
  /** How long the work under way may go on when `signal` stops the agent. Default 10,000 ms. */
  readonly graceMs?: number | undefined;
  /** Told up to which cursor everything is done, when that changes: to be given as `after` the next time. */
  readonly onCursor?: ((cursor: number) => void) | undefined;
  /** Told what a handler has thrown, and why an outcome could not be handed in. For logs. */
  readonly onError?: ((error: unknown, intentId: string) => void) | undefined;
}

/** Options with every default in place. */
export interface ResolvedAgentOptions {
  readonly after: number;
  readonly signal: AbortSignal | undefined;
  readonly concurrency: number;
  readonly leaseMs: number;
  readonly graceMs: number;
  readonly onCursor: (cursor: number) => void;
  readonly onError: (error: unknown, intentId: string) => void;
}

/** Fills in defaults. @throws DurableClientError `usage` */
export function resolveAgentOptions(options: AgentOptions): ResolvedAgentOptions {
  return {
    after: whole('after', 0, options.after ?? 0),
    signal: options.signal,
    concurrency: whole('concurrency', 1, options.concurrency ?? 1),
    leaseMs: whole('leaseMs', 1_000, options.leaseMs ?? 15_000),
    graceMs: whole('graceMs', 0, options.graceMs ?? 10_000),
    onCursor: options.onCursor ?? (() => {}),
    onError: options.onError ?? (() => {}),
  };
}

/** @throws DurableClientError `usage` */
export function whole(name: string, least: number, value: number): number {
  if (Number.isSafeInteger(value) && value >= least) return value;
  throw usage(`${name} takes a whole number from ${least}, not ${value}.`);
}
