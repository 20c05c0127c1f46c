import { createHash } from 'node:crypto';
import type { Ledger } from '@durable-api/core';
import { addressKey, canonicalAddress, shortName, type HomeAddress } from '../addresses/address.ts';
import { AxpError } from '../http/errors.ts';
import { compact, instant, type JsonObject } from '../http/json.ts';
import { Register } from '../storage/register.ts';

/** An agent that is known by name: what keys are minted for. */
export interface ServiceAccount {
  readonly id: string;
  /** As whoever made it called it: a bare name or an address. */
  readonly name: string;
  /** The key of its address. */
  readonly address: string;
  readonly agent: string;
  readonly displayName: string | null;
  readonly status: 'active' | 'deleted';
  readonly createdAt: string;
  readonly updatedAt: string;
}

/** The service accounts; each stands for one agent. */
export class Accounts {
  readonly #ledger: Ledger;
  readonly #home: HomeAddress;
  readonly #register: Register;

  constructor(ledger: Ledger, home: HomeAddress) {
    this.#ledger = ledger;
    this.#home = home;
    this.#register = new Register(ledger, 'accounts');
  }

  /** Makes the account of an agent, or finds it. @throws AxpError 422 for what is no address */
  async ensure(
    name: string,
    displayName: string | null,
  ): Promise<{ readonly account: ServiceAccount; readonly isNew: boolean }> {
    const address = addressKey(name, this.#home);
    if (address === null) {
      throw new AxpError(422, 'invalid_agent_address', 'The name is no address of an agent.');
    }
    const id = accountId(address);
    let isNew = false;
    const now = instant(this.#ledger.now());
    const value = await this.#register.update(id, (current) => {
      isNew = current === undefined || current['status'] === 'deleted';
      if (!isNew) return undefined;
      const created = { name, address, display_name: displayName, status: 'active' };
      return compact({ ...created, created_at: now, updated_at: now });
    });
    return { account: toAccount(id, value ?? {}), isNew };
  }

  /** Null when there is none, or none any more. */
  async get(id: string): Promise<ServiceAccount | null> {
    await this.#register.open();
    const value = this.#register.get(id);
    return value === undefined || value['status'] === 'deleted' ? null : toAccount(id, value);
  }

  /** The account of the agent at this address. */
  ofAddress(address: string): Promise<ServiceAccount | null> {
    return this.get(accountId(address));
  }

  /** Those that are not deleted, in the order of their making. */
  async list(): Promise<readonly ServiceAccount[]> {
    await this.#register.open();
    return [...this.#register.entries()]
      .map(([id, value]) => toAccount(id, value))
      .filter((account) => account.status === 'active')
      .sort((a, b) => (a.createdAt < b.createdAt ? -1 : 1));
  }

  /** False when there is none. */
  async remove(id: string): Promise<boolean> {
    let isThere = false;
    const now = instant(this.#ledger.now());
    await this.#register.update(id, (current) => {
      isThere = current !== undefined && current['status'] !== 'deleted';
      return isThere ? { ...current, status: 'deleted', updated_at: now } : undefined;
    });
    return isThere;
  }
}

/** The same for one address each time, with its name in it, for whoever looks for it in a file. */
function accountId(address: string): string {
  const hash = createHash('sha256').update(address).digest('hex').slice(0, 12);
  const name = shortName(address)
    .replaceAll(/[^\w.-]/g, '_')
    .slice(0, 64);
  return `sa_${name}_${hash}`;
}

function toAccount(id: string, value: JsonObject): ServiceAccount {
  const text = (name: string): string => {
    const member = value[name];
    return typeof member === 'string' ? member : '';
  };
  const address = text('address');
  return {
    id,
    name: text('name'),
    address,
    agent: canonicalAddress(address),
    displayName: text('display_name') || null,
    status: value['status'] === 'deleted' ? 'deleted' : 'active',
    createdAt: text('created_at'),
    updatedAt: text('updated_at'),
  };
}
