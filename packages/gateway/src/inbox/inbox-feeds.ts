import { createHash } from 'node:crypto';
import type { Ledger } from '@durable-api/core';
import { addressKey, type HomeAddress } from '../addresses/address.ts';
import { AxpError } from '../http/errors.ts';
import { instant } from '../http/json.ts';
import type { AxpIntent } from '../intents/intent-state.ts';
import type { Mailbox } from '../mailboxes/mailbox.ts';
import type { Mailboxes } from '../mailboxes/mailboxes.ts';
import { Register } from '../storage/register.ts';
import { replyKey } from './thread.ts';

/** The feed of all owners. */
export const ALL = '*';
/** The most feeds that are kept. */
const MAX_FEEDS = 5_000;
/** How long other processes may not know of a new feed, in ms. */
const SETTLE_MS = 10_000;

/**
 * What has changed in whose inbox, in the order of the changes. A feed is kept from when somebody first asks
 * for it, so that a gateway whose inboxes nobody follows writes nothing for them.
 */
export class InboxFeeds {
  readonly #ledger: Ledger;
  readonly #mailboxes: Mailboxes;
  readonly #home: HomeAddress;
  readonly #register: Register;

  constructor(ledger: Ledger, mailboxes: Mailboxes, home: HomeAddress) {
    this.#ledger = ledger;
    this.#mailboxes = mailboxes;
    this.#home = home;
    this.#register = new Register(ledger, 'inbox-feeds');
  }

  /**
   * The feed of an owner, kept from now on. `found` gives the ids of the owner's intents that there are, oldest
   * first: a new feed begins with them, and they are looked at once more when all processes know of it.
   */
  async follow(owner: string, found: () => Promise<readonly string[]>): Promise<Mailbox> {
    const name = nameOf(owner);
    const feed = this.#mailboxes.feed(`inbox:${owner}`);
    await this.#register.open();
    const known = this.#register.get(name);
    if (known?.['is_settled'] === true) return feed;
    const now = this.#ledger.now();
    if (known === undefined && this.#register.size >= MAX_FEEDS) {
      const message = `The changes of ${MAX_FEEDS} inboxes are followed already, which is the most.`;
      throw new AxpError(409, 'too_many_feeds', message);
    }
    const begunAt = typeof known?.['begun_at'] === 'string' ? Date.parse(known['begun_at']) : now;
    const isSettled = begunAt + SETTLE_MS <= now;
    if (known !== undefined && !isSettled) return feed;
    const value = { begun_at: instant(begunAt), is_settled: isSettled };
    if (known === undefined) await this.#register.update(name, (one) => one ?? value);
    await Promise.all((await found()).map((intentId) => this.#add(feed, intentId)));
    if (isSettled) await this.#register.update(name, () => value);
    return feed;
  }

  /** An intent, or a thread of it, has changed, for these owners beside those that it has itself. */
  async note(intent: AxpIntent, owners: readonly string[] = []): Promise<void> {
    await this.#register.open();
    if (this.#register.size === 0) return;
    const { envelope, state, record } = intent;
    const reply = replyKey(intent, this.#home);
    const delegates = Object.keys(state.grants)
      .filter((name) => name.startsWith('delegate:'))
      .map((name) => addressKey(name.slice('delegate:'.length), this.#home));
    const all = new Set([ALL, envelope.to, reply, ...delegates, ...owners]);
    const followed = [...all].filter(
      (owner) => owner !== null && this.#register.get(nameOf(owner)) !== undefined,
    );
    await Promise.all(
      followed.map((owner) => this.#add(this.#mailboxes.feed(`inbox:${owner}`), record.id)),
    );
  }

  async #add(feed: Mailbox, intentId: string): Promise<void> {
    try {
      await feed.add({ intentId, attempt: 1 });
    } catch (error) {
      this.#ledger.logger.warn({ err: error, intentId }, 'A change is missing from an inbox feed');
    }
  }
}

/** Names of notes are short. */
function nameOf(owner: string): string {
  return createHash('sha256').update(owner).digest('hex');
}
