import type { Clock } from '../clock.ts';
import type { ResolvedOperationOptions, ResolvedOptions } from '../options.ts';
import type { Command } from '../state/command.ts';
import type { IntentRecord } from '../state/intent.ts';
import type { Found } from '../store/store.ts';
import type { AgentRef } from '../agents/agent-ref.ts';
import type { StartOptions } from './child.ts';

/** What a child is an intent of. */
export interface ChildOperation {
  /** The operation's name, or the agent's address. */
  readonly operation: string;
  /** Default: the version that was declared first. */
  readonly version?: string;
}

/** A child that is to be stored, with what its handler will be given. */
export interface PreparedChild extends ChildOperation {
  /** What the operation's limits and turns go by. */
  readonly key?: string;
  /** A hash of the input. */
  readonly fingerprint: string;
  readonly input: string;
}

/** How a handler starts and finds its children. All of it is tried again while the store is away. */
export interface ChildHost {
  /** @throws HandlerFault `start_invalid` when there is no such operation here, no way to the agent, or its input cannot be stored. */
  prepare(
    operation: ChildOperation | AgentRef,
    input: unknown,
    options: StartOptions,
  ): PreparedChild;
  /** An id that no intent has yet. */
  newId(child: PreparedChild): string;
  /** Stores it, unless its id is there already. Rejects when the attempt is over. */
  store(id: string, child: PreparedChild): Promise<void>;
  /** Reads intents; one entry per id. Rejects when the attempt is over. */
  find(ids: readonly string[], include?: 'result'): Promise<readonly (Found | undefined)[]>;
}

/** The attempt, as what a handler uses beside its request sees it. */
export interface HandlerHost {
  /** The intent as last written or read. */
  readonly record: IntentRecord;
  /** The ordinal of this attempt. */
  readonly attempt: number;
  readonly signal: AbortSignal;
  readonly clock: Clock;
  readonly options: ResolvedOptions;
  readonly operationOptions: ResolvedOperationOptions;
  /** Whether nothing can have been remembered before this attempt. */
  readonly isFresh: boolean;
  readonly children: ChildHost;
  /** Whether this process has a place for another attempt. */
  hasRoom(): boolean;
  /**
   * Writes under the lease, again and again while the store is away. Resolves to whether the state
   * machine took it. Rejects with the signal's reason when the attempt is over.
   */
  write(command: Command): Promise<boolean>;
  /**
   * Writes a `suspend` and ends the attempt with it. Resolves to false when the state machine refused it,
   * else never.
   */
  suspend(command: Command): Promise<boolean>;
  /** Resolves when everything that the attempt has to write so far is written. */
  idle(): Promise<void>;
  /** Reads the intent with its notes, again and again while the store is away; rejects as `write` does. */
  read(): Promise<Found>;
}
