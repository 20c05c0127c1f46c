import { isTerminal } from '@durable-api/protocol';
import { isAgentAddress } from '../agents/agent-ref.ts';
import type { Clock } from '../clock.ts';
import type { ChildHost, HandlerHost } from '../handler/host.ts';
import { traceHeadersOf } from '../handler/traceparent.ts';
import type { ResolvedOperationOptions, ResolvedOptions } from '../options.ts';
import type { Command } from '../state/command.ts';
import type { IntentRecord } from '../state/intent.ts';
import type { Found } from '../store/store.ts';
import type { AttemptSetup } from './attempt-setup.ts';
import type { WriteOutcome } from './intent-writer.ts';
import { AttemptAborted, type AbortCause } from './operation.ts';

/** What an attempt lets its handler's tools do. */
export interface AttemptHostSetup {
  readonly attempt: AttemptSetup;
  readonly isFresh: boolean;
  readonly signal: AbortSignal;
  /** Whether the end of the attempt is being written, or is. */
  readonly isOver: () => boolean;
  readonly isSettled: () => boolean;
  /** Writes the start, if it is not yet, and then this; null when the store could not. */
  readonly write: (command: Command) => Promise<WriteOutcome | null>;
  /** Waits before something that the store could not do is tried again. */
  readonly wait: () => Promise<void>;
  /** Gives the writer all that is held back. */
  readonly flush: () => Promise<void>;
  readonly onSuspended: (cause: AbortCause) => void;
}

/** An attempt, as what its handler uses beside the request sees it. */
export class AttemptHost implements HandlerHost {
  readonly attempt: number;
  readonly signal: AbortSignal;
  readonly clock: Clock;
  readonly options: ResolvedOptions;
  readonly operationOptions: ResolvedOperationOptions;
  readonly isFresh: boolean;
  readonly children: ChildHost;
  readonly #setup: AttemptHostSetup;

  constructor(setup: AttemptHostSetup) {
    const { attempt, isFresh, signal } = setup;
    this.attempt = attempt.attempt;
    this.signal = signal;
    this.clock = attempt.clock;
    this.options = attempt.options;
    this.operationOptions = attempt.operation.options;
    this.isFresh = isFresh;
    this.#setup = setup;
    this.children = this.#childHost(attempt);
  }

  get record(): IntentRecord {
    return this.#setup.attempt.writer.record;
  }

  hasRoom(): boolean {
    return this.#setup.attempt.hasRoom();
  }

  async write(command: Command): Promise<boolean> {
    const { outcome } = await this.#untilOver(() => this.#setup.write(command));
    return outcome === 'written';
  }

  async suspend(command: Command): Promise<boolean> {
    const outcome = await this.#untilOver(() => this.#setup.write(command));
    if (outcome.outcome === 'refused') return false;
    const isWaiting = 'record' in outcome && !isTerminal(outcome.record.status);
    this.#setup.onSuspended(isWaiting ? 'suspended' : 'canceled');
    return true;
  }

  async idle(): Promise<void> {
    await this.#setup.flush();
    await this.#setup.attempt.writer.idle();
  }

  async read(): Promise<Found> {
    const { attempt } = this.#setup;
    const found = await this.#untilOver(async () => (await attempt.read()) ?? null);
    // What is decided by it would be refused for as long as the writer knows less.
    attempt.writer.catchUp(found.record);
    return found;
  }

  #childHost({ children, input }: AttemptSetup): ChildHost {
    let trace: Record<string, string> | null = null;
    return {
      prepare: (operation, body, options) => {
        trace ??= traceHeadersOf(JSON.parse(input));
        return children.prepare(operation, body, options, trace, this.record.operation);
      },
      newId: (child) => children.newId(child),
      store: async (id, child) => {
        await this.#untilOver(async () => {
          if (isAgentAddress(child.operation)) await children.storeAgents(this.record, id, child);
          else await children.store(this.record, id, child);
          return true;
        });
      },
      find: (ids, include) => this.#untilOver(() => this.#setup.attempt.find(ids, include)),
    };
  }

  /** Tries until it works, or the attempt is over. @throws the signal's reason */
  async #untilOver<T>(work: () => Promise<T | null>): Promise<T> {
    const { signal, isOver, isSettled, wait } = this.#setup;
    for (;;) {
      if (!isOver()) {
        const result = await work().catch(() => null);
        if (result !== null && !isSettled()) return result;
      }
      signal.throwIfAborted();
      if (isOver()) throw new AttemptAborted('lease_lost');
      await wait();
    }
  }
}
