import type { Accounts } from '../provisioning/accounts.ts';
import type { KeyInfo, KeyRing } from './key-ring.ts';

/** A key to make. */
export interface NewGatewayKey {
  /** The agent that it is for, which is made known with it. Default: it is an admin's. */
  readonly agent?: string | undefined;
  /** When it ends by itself, in ms since the epoch. Default: never. */
  readonly expiresAt?: number | undefined;
}

/** The API keys of a gateway, for code: they are the store's, and so all gateways' on it. */
export class GatewayKeys {
  readonly #ring: KeyRing;
  readonly #accounts: Accounts;

  constructor(ring: KeyRing, accounts: Accounts) {
    this.#ring = ring;
    this.#accounts = accounts;
  }

  /** Makes a key; its token is told this once, and only a hash of it is kept. */
  async mint({ agent, expiresAt }: NewGatewayKey = {}): Promise<{
    readonly info: KeyInfo;
    readonly token: string;
  }> {
    const expiry = expiresAt === undefined ? {} : { expiresAt };
    if (agent === undefined) return this.#ring.mint({ kind: 'admin', ...expiry });
    const { account } = await this.#accounts.ensure(agent, null);
    const { id, address } = account;
    return this.#ring.mint({
      kind: 'agent',
      agent: account.agent,
      address,
      serviceAccountId: id,
      ...expiry,
    });
  }

  /** All keys, also those that have ended. */
  list(): Promise<readonly KeyInfo[]> {
    return this.#ring.list();
  }

  /** Ends a key for good, and its open streams in all processes; null when there is none. */
  revoke(keyId: string): Promise<KeyInfo | null> {
    return this.#ring.revoke(keyId);
  }
}
