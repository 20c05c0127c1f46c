import { isTerminal } from '@durable-api/protocol';
import { DurableClientError } from '../errors.ts';
import type { CallOptions } from '../operation.ts';
import { isNotFound, type GatewayCalls } from './gateway-calls.ts';
import { takeRead } from './take-read.ts';
import type { Intent } from './wire.ts';

/** In whose name intents are claimed. */
export interface AgentLeaseSetup {
  readonly calls: GatewayCalls;
  readonly address: string;
  readonly leaseMs: number;
  /** What the agent works on now. */
  readonly held: () => readonly string[];
  /** Told what of that is the agent's no more: it has ended, or nobody could be asked for too long. */
  readonly onLost: (intentIds: readonly string[], cause: unknown) => void;
}

interface Lease {
  readonly id: string;
  validUntil: number;
}

/**
 * The lease of an agent: while it is renewed, by one call for all that the agent works on, nobody else is given
 * that. An idle agent lets it run out. Where a gateway has no leases, an intent is taken by reading it, as the
 * protocol has it.
 */
export class AgentLease {
  readonly #setup: AgentLeaseSetup;
  readonly #timer: ReturnType<typeof setInterval>;
  #lease: Promise<Lease> | null = null;
  #hasLeases = true;
  #isAsking = false;

  constructor(setup: AgentLeaseSetup) {
    this.#setup = setup;
    this.#timer = setInterval(() => {
      if (!this.#isAsking) void this.#tick();
    }, setup.leaseMs / 3);
  }

  /** Takes an intent; null when it has ended, is gone, or another agent has it. */
  async claim(intentId: string, options: CallOptions): Promise<Intent | null> {
    const { calls } = this.#setup;
    try {
      for (;;) {
        const lease = await this.#open();
        if (lease === null) return await takeRead(this.#setup, intentId, options);
        const answer = await calls.claim(intentId, lease.id, options).catch(unlessEnded);
        if (answer === null) this.#lease = null;
        else return answer.claimed && !isTerminal(answer.intent.status) ? answer.intent : null;
      }
    } catch (error) {
      if (isNotFound(error)) return null;
      throw error;
    }
  }

  /** Renews no more, and gives back what the agent still has. */
  async end(): Promise<void> {
    clearInterval(this.#timer);
    const lease = await this.#lease;
    const { calls, address } = this.#setup;
    if (lease !== null && isValid(lease)) await calls.endLease(address, lease.id);
  }

  /** The lease that holds; null when the gateway has none. */
  async #open(): Promise<Lease | null> {
    const current = await this.#lease;
    if (current !== null && isValid(current)) return current;
    if (!this.#hasLeases) return null;
    const { calls, address, leaseMs } = this.#setup;
    const validUntil = performance.now() + leaseMs;
    const opening = calls.openLease(address, leaseMs).then((id) => ({ id, validUntil }));
    this.#lease = opening;
    try {
      return await opening;
    } catch (error) {
      if (this.#lease === opening) this.#lease = null;
      if (!isNotFound(error)) throw error;
      this.#hasLeases = false;
      return null;
    }
  }

  async #tick(): Promise<void> {
    const ids = this.#setup.held();
    if (ids.length === 0) return;
    this.#isAsking = true;
    try {
      const lease = await this.#lease;
      await (lease === null ? this.#readAll(ids) : this.#renew(lease, ids));
    } finally {
      this.#isAsking = false;
    }
  }

  async #renew(lease: Lease, ids: readonly string[]): Promise<void> {
    const { calls, address, leaseMs, onLost } = this.#setup;
    const askedAt = performance.now();
    try {
      const { alive, lost } = await calls.renewLease(address, lease.id, ids);
      if (alive) lease.validUntil = askedAt + leaseMs;
      else this.#lease = null;
      onLost(lost, undefined);
    } catch (error) {
      // Until then the gateway keeps it, so there is time for more tries.
      if (isValid(lease)) return;
      this.#lease = null;
      onLost(ids, error);
    }
  }

  async #readAll(ids: readonly string[]): Promise<void> {
    const { calls, onLost } = this.#setup;
    for (const id of ids) {
      try {
        const { status } = await calls.get(id, {});
        if (isTerminal(status)) onLost([id], undefined);
      } catch (error) {
        if (isNotFound(error)) onLost([id], error);
      }
    }
  }
}

function isValid({ validUntil }: Lease): boolean {
  return performance.now() < validUntil;
}

/** @throws all but that the lease has run out, which gives null. */
function unlessEnded(error: unknown): null {
  if (error instanceof DurableClientError && error.code === 'lease_ended') return null;
  throw error;
}
