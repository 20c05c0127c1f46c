import type { Ledger, Wait } from '@durable-api/core';
import { canonicalAddress } from '../addresses/address.ts';
import { AxpError } from '../http/errors.ts';
import { instant, type JsonObject } from '../http/json.ts';
import { derivedId } from '../storage/derived-id.ts';
import { Register } from '../storage/register.ts';

/** Which agents an admin has cut off: nothing is delivered to them, and nothing is taken from them. */
export class KillSwitch {
  readonly #ledger: Ledger;
  readonly #register: Register;
  readonly #waiting = new Set<() => void>();

  constructor(ledger: Ledger) {
    this.#ledger = ledger;
    this.#register = new Register(ledger, 'mesh');
    this.#register.onChange(() => {
      for (const wake of this.#waiting) wake();
    });
    ledger.onLeave(() => {
      for (const wake of this.#waiting) wake();
    });
  }

  /** Resolves when {@link isKilled} can be asked. */
  open(): Promise<void> {
    return this.#register.open();
  }

  isKilled(address: string): boolean {
    return this.#register.get(derivedId(address))?.['is_killed'] === true;
  }

  /** @throws AxpError 403 for an agent that is cut off */
  async check(address: string | null): Promise<void> {
    await this.open();
    if (address === null || !this.isKilled(address)) return;
    const message = `${canonicalAddress(address)} was killed by an admin, and has not been resumed.`;
    throw new AxpError(403, 'agent_killed', message);
  }

  async set(address: string, isKilled: boolean, actor: string, reason?: string): Promise<void> {
    const at = instant(this.#ledger.now());
    await this.#register.update(derivedId(address), (current) => {
      if ((current?.['is_killed'] === true) === isKilled) return undefined;
      return { address, is_killed: isKilled, actor, at, ...(reason !== undefined && { reason }) };
    });
  }

  /** Waits until some agent is killed or resumed, at most `timeoutMs`. */
  wait(timeoutMs: number): Wait {
    const { promise, resolve } = Promise.withResolvers<null>();
    const wake = (): void => {
      stop();
      this.#waiting.delete(wake);
      resolve(null);
    };
    const stop = this.#ledger.after(timeoutMs, wake);
    this.#waiting.add(wake);
    return { change: promise, cancel: wake };
  }

  /** Who was killed and resumed, the last first. */
  async events(limit: number): Promise<readonly JsonObject[]> {
    return (await this.#register.history(limit)).map(({ id, value }) => {
      const { address, is_killed: isKilled, actor, at, reason } = value;
      return {
        event_id: id,
        address: canonicalAddress(String(address)),
        event_type: isKilled === true ? 'agent.killed' : 'agent.resumed',
        details: reason === undefined ? null : { reason },
        actor_id: actor ?? null,
        created_at: at,
      };
    });
  }
}
