import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';
import type { Ledger } from '@durable-api/core';
import { compact, instant, type JsonObject } from '../http/json.ts';
import { Register } from '../storage/register.ts';
import type { Caller } from './caller.ts';

/** What a new key is for. */
interface NewKey {
  readonly kind: 'admin' | 'agent';
  /** The agent's address, and its key; for agents. */
  readonly agent?: string;
  readonly address?: string;
  readonly serviceAccountId?: string;
  readonly expiresAt?: number;
}

/** A key as it is shown; the token is known only to who has asked for it. */
export interface KeyInfo {
  readonly keyId: string;
  readonly kind: string;
  readonly hint: string;
  readonly status: 'active' | 'revoked' | 'expired';
  readonly createdAt: string;
  readonly expiresAt: string | null;
  readonly revokedAt: string | null;
  readonly agent: string | null;
  readonly serviceAccountId: string | null;
}

const TOKEN = /^axp\.(sak_[0-9a-f]{16})\.[\w-]{43}$/;
/** Compared with when there is no such key, so that this takes no less time. */
const NO_HASH = Buffer.alloc(32);

/** Tells in the same time whether two hashes of 32 bytes are equal, whatever they are. */
type Compare = (one: Uint8Array, other: Uint8Array) => boolean;

/** The API keys: those of the options, and those that were minted, of which only hashes are kept. */
export class KeyRing {
  readonly #ledger: Ledger;
  readonly #register: Register;
  readonly #fixed: readonly Buffer[];
  readonly #equal: Compare;
  readonly #listeners = new Set<(keyId: string) => void>();

  constructor(ledger: Ledger, adminKeys: readonly string[], equal: Compare = timingSafeEqual) {
    this.#ledger = ledger;
    this.#equal = equal;
    this.#register = new Register(ledger, 'keys');
    this.#fixed = adminKeys.map(hashOf);
    this.#register.onChange((keyId) => {
      if (this.#register.get(keyId)?.['revoked_at'] === undefined) return;
      for (const listener of this.#listeners) listener(keyId);
    });
  }

  /** Resolves when keys can be looked up. */
  open(): Promise<void> {
    return this.#register.open();
  }

  /** Calls `listener` with each key that is revoked, here or elsewhere. */
  onRevoked(listener: (keyId: string) => void): void {
    this.#listeners.add(listener);
  }

  /** Whether a key that was good a moment ago still is. */
  isActive(keyId: string): boolean {
    const key = this.#register.get(keyId);
    return key !== undefined && this.#statusOf(key) === 'active';
  }

  /**
   * Who has this token; null when nobody does. Takes the same time whatever the token is: its hash is compared
   * with that of every key of the options, and with one of a minted key, also where there is none.
   */
  async authenticate(token: string): Promise<Caller | null> {
    await this.open();
    const hash = hashOf(token);
    let isFixed = false;
    for (const fixed of this.#fixed) if (this.#equal(fixed, hash)) isFixed = true;
    const keyId = TOKEN.exec(token)?.[1] ?? '';
    const key = this.#register.get(keyId);
    const kept = typeof key?.['hash'] === 'string' ? Buffer.from(key['hash'], 'hex') : NO_HASH;
    const isMinted = this.#equal(kept.length === 32 ? kept : NO_HASH, hash);
    if (isFixed) return { kind: 'admin', id: 'admin', keyId: null };
    if (key === undefined || !isMinted || this.#statusOf(key) !== 'active') return null;
    const { kind, agent, address } = key;
    if (kind === 'admin') return { kind: 'admin', id: keyId, keyId };
    if (typeof agent !== 'string' || typeof address !== 'string') return null;
    return { kind: 'agent', id: keyId, keyId, agent, address };
  }

  /** Makes a key; its token is told this once. */
  async mint(key: NewKey): Promise<{ readonly info: KeyInfo; readonly token: string }> {
    const keyId = `sak_${randomBytes(8).toString('hex')}`;
    const token = `axp.${keyId}.${randomBytes(32).toString('base64url')}`;
    const value = compact({
      kind: key.kind,
      hash: hashOf(token).toString('hex'),
      hint: `…${token.slice(-4)}`,
      created_at: instant(this.#ledger.now()),
      expires_at: key.expiresAt === undefined ? undefined : instant(key.expiresAt),
      agent: key.agent,
      address: key.address,
      service_account_id: key.serviceAccountId,
    });
    await this.#register.update(keyId, () => value);
    return { info: this.#infoOf(keyId, value), token };
  }

  /** Ends a key, for good; null when there is none. Its open streams end. */
  async revoke(keyId: string): Promise<KeyInfo | null> {
    const revokedAt = instant(this.#ledger.now());
    const key = await this.#register.update(keyId, (current) => {
      if (current === undefined || current['revoked_at'] !== undefined) return undefined;
      return { ...current, revoked_at: revokedAt };
    });
    return key === undefined ? null : this.#infoOf(keyId, key);
  }

  /** All keys, or those of a service account. */
  async list(serviceAccountId?: string): Promise<readonly KeyInfo[]> {
    await this.open();
    return [...this.#register.entries()]
      .map(([keyId, key]) => this.#infoOf(keyId, key))
      .filter((key) => serviceAccountId === undefined || key.serviceAccountId === serviceAccountId);
  }

  #statusOf({ revoked_at: revokedAt, expires_at: expiresAt }: JsonObject): KeyInfo['status'] {
    if (revokedAt !== undefined) return 'revoked';
    const isExpired = typeof expiresAt === 'string' && Date.parse(expiresAt) <= this.#ledger.now();
    return isExpired ? 'expired' : 'active';
  }

  #infoOf(keyId: string, key: JsonObject): KeyInfo {
    const text = (name: string): string | null =>
      typeof key[name] === 'string' ? key[name] : null;
    return {
      keyId,
      kind: text('kind') ?? '',
      hint: text('hint') ?? '',
      status: this.#statusOf(key),
      createdAt: text('created_at') ?? '',
      expiresAt: text('expires_at'),
      revokedAt: text('revoked_at'),
      agent: text('agent'),
      serviceAccountId: text('service_account_id'),
    };
  }
}

// The secret is 256 random bits, so that nobody finds it from a fast hash either.
function hashOf(token: string): Buffer {
  return createHash('sha256').update(token).digest();
}
