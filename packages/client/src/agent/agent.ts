/// <reference lib="esnext.disposable" preserve="true" />
import { LONGEST_TIMER_MS, type ResolvedClientOptions } from '../options.ts';
import { AgentLease } from './agent-lease.ts';
import type { AgentHandler, ResolvedAgentOptions } from './agent-options.ts';
import { CursorMark } from './cursor-mark.ts';
import type { GatewayCalls } from './gateway-calls.ts';
import type { DeliveryEvent } from './wire.ts';
import { Work, type WorkSetup } from './work.ts';

/** What an {@link Agent} is made of. */
export interface AgentSetup {
  readonly client: ResolvedClientOptions;
  readonly calls: GatewayCalls;
  readonly address: string;
  readonly handler: AgentHandler;
  readonly options: ResolvedAgentOptions;
}

/** How an agent ends. */
export interface AgentStopOptions {
  /** How long the work under way may go on. What has not ended then is given to other agents. Default 10,000 ms. */
  readonly graceMs?: number | undefined;
}

/** A remote worker: takes what is sent to its address and hands in what its handler makes of it. */
export class Agent {
  /**
   * Resolves when the agent has stopped. Rejects when the gateway refuses it, for instance because its key was
   * revoked; it does not listen any more then.
   */
  readonly ended: Promise<void>;
  readonly #setup: WorkSetup;
  readonly #deliveries: AsyncGenerator<DeliveryEvent, void, undefined>;
  readonly #stopping = new AbortController();
  readonly #works = new Map<string, Work>();
  readonly #mark: CursorMark;
  #graceMs: number;
  #changed = Promise.withResolvers<void>();

  /** @throws DurableClientError `usage` */
  constructor({ calls, ...setup }: AgentSetup) {
    const { address, options } = setup;
    const { after, leaseMs, signal } = options;
    const once = calls.once();
    const lease = new AgentLease({
      calls: once,
      address,
      leaseMs,
      held: () => [...this.#works].flatMap(([id, work]) => (work.isClaimed ? id : [])),
      onLost: (ids, cause) => ids.forEach((id) => this.#works.get(id)?.lose(cause)),
    });
    this.#setup = { ...setup, calls: once, lease };
    this.#deliveries = calls.deliveries(address, after, this.#stopping.signal);
    this.#mark = new CursorMark(after, options.onCursor);
    this.#graceMs = options.graceMs;
    const stop = (): void => this.#stopping.abort();
    this.#stopping.signal.addEventListener('abort', () => this.#changed.resolve());
    signal?.addEventListener('abort', stop);
    if (signal?.aborted) stop();
    this.ended = this.#run().finally(() => signal?.removeEventListener('abort', stop));
  }

  /** Takes no more work, waits for what is under way, and gives back what takes too long. */
  stop({ graceMs = this.#graceMs }: AgentStopOptions = {}): Promise<void> {
    this.#graceMs = graceMs;
    this.#stopping.abort();
    return this.ended;
  }

  /** Stops, so that `await using` works. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }

  async #run(): Promise<void> {
    try {
      await this.#listen();
    } catch (error) {
      if (!this.#stopping.signal.aborted) {
        await this.#drain(0);
        throw error;
      }
    }
    await this.#drain(this.#graceMs);
  }

  async #listen(): Promise<void> {
    const { concurrency } = this.#setup.options;
    for (;;) {
      while (this.#works.size >= concurrency && !this.#stopping.signal.aborted)
        await this.#change();
      const next = await this.#deliveries.next();
      if (next.done === true) return;
      this.#begin(next.value);
    }
  }

  #begin(event: DeliveryEvent): void {
    const { intent_id: id, seq: cursor } = event;
    // What is under way may be sent again, because it was not taken or renewed in time.
    if (this.#works.has(id)) return this.#mark.pass(cursor);
    this.#mark.begin(cursor);
    const work = new Work(this.#setup, event);
    this.#works.set(id, work);
    void work.run().then((isDone) => {
      this.#works.delete(id);
      if (isDone) this.#mark.end(cursor);
      this.#changed.resolve();
    });
  }

  /** Waits for the work under way to end, and gives up what has not. */
  async #drain(graceMs: number): Promise<void> {
    const grace = new AbortController();
    const over = (): void => {
      grace.abort();
      this.#changed.resolve();
    };
    const timer = setTimeout(over, Math.min(graceMs, LONGEST_TIMER_MS));
    while (this.#works.size > 0 && !grace.signal.aborted) await this.#change();
    clearTimeout(timer);
    const reason = new DOMException('The agent has stopped.', 'AbortError');
    for (const work of this.#works.values()) work.giveUp(reason);
    // If that fails, they are sent again when the lease is over.
    await this.#setup.lease.end().catch(() => {});
  }

  /** Resolves when some work has ended, or the agent is to stop. */
  #change(): Promise<void> {
    this.#changed = Promise.withResolvers<void>();
    return this.#changed.promise;
  }
}
