import type { Clock } from '../clock.ts';
import type { Logger } from '../logger.ts';
import type { Claimed } from '../store/store.ts';
import type { AttemptPool } from './attempt-pool.ts';
import type { Claimer } from './claimer.ts';
import { Dispatcher } from './dispatcher.ts';

/** What driven intents need. */
export interface DrivenIntentsSetup {
  readonly clock: Clock;
  readonly pollMs: number | null;
  readonly logger: Logger;
  /** Whether this process works on what is due. */
  readonly works: () => boolean;
  readonly claimer: Claimer;
  /** Gives back the lease of what was claimed too late. */
  readonly pool: AttemptPool;
}

/** Looks at an intent that is due. */
export type OnDue = (claimed: Claimed) => Promise<void>;

/** How many due intents are looked at at once. */
const CONCURRENCY = 64;

/**
 * The intents that no attempt works on: whoever drives them is called when they are due. They have a
 * dispatcher of their own, so that handlers which take all places do not stop their timers, and it is
 * made with the first of them, so that it costs nobody else a claim.
 */
export class DrivenIntents {
  readonly #setup: DrivenIntentsSetup;
  readonly #drivers = new Map<string, OnDue>();
  readonly #underWay = new Set<Promise<void>>();
  #dispatcher: Dispatcher | null = null;

  constructor(setup: DrivenIntentsSetup) {
    this.#setup = setup;
  }

  drives(operation: string): boolean {
    return this.#drivers.has(operation);
  }

  declare(operation: string, onDue: OnDue): void {
    const { clock, pollMs, logger, works } = this.#setup;
    this.#drivers.set(operation, onDue);
    this.#dispatcher ??= new Dispatcher({
      clock,
      pollMs,
      room: () => (works() ? CONCURRENCY - this.#underWay.size : 0),
      claim: (limit) => this.#claim(limit),
      onError: (error) => logger.warn({ err: error }, 'Due intents could not be claimed'),
    });
  }

  /** Something may be due now. */
  wake(): void {
    this.#dispatcher?.wake();
  }

  /** Another process wrote something. */
  hint(): void {
    this.#dispatcher?.hint();
  }

  noteDue(dueAt: number): void {
    this.#dispatcher?.noteDue(dueAt);
  }

  /** Resolves when nothing is looked at any more. */
  async stop(): Promise<void> {
    await this.#dispatcher?.stop();
    await Promise.all(this.#underWay);
  }

  async #claim(limit: number): Promise<{ count: number; nextDueAt: number | null }> {
    const { claimer, works, pool } = this.#setup;
    const { claimed, nextDueAt } = await claimer.claim(
      { operations: [...this.#drivers.keys()] },
      limit,
    );
    if (works()) for (const one of claimed) this.#look(one);
    else await pool.giveBack(claimed.map((one) => one.record));
    return { count: claimed.length, nextDueAt };
  }

  #look(claimed: Claimed): void {
    const { id: intentId, operation } = claimed.record;
    const onDue = this.#drivers.get(operation);
    if (onDue === undefined) return;
    const look = onDue(claimed).catch((error: unknown) => {
      // Its lease runs out, and then it is looked at again.
      this.#setup.logger.warn({ err: error, intentId }, 'A due intent could not be seen to');
    });
    const seen = look.then(() => {
      this.#underWay.delete(seen);
      this.#dispatcher?.roomFreed();
    });
    this.#underWay.add(seen);
  }
}
