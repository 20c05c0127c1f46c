import type { Ledger } from '@durable-api/core';
import { Mailbox } from './mailbox.ts';

/** The most mailboxes that a process remembers the place of. */
const MAX_KNOWN = 20_000;
/** After how many entries another part of a mailbox is begun. */
const PART_SIZE = 2_000;
/** How many intents a feed has at least, however far back its reader is. */
const FEED_SIZE = 1_000;

/** The mailboxes that this process writes or reads. */
export class Mailboxes {
  readonly #ledger: Ledger;
  readonly #partSize: number;
  readonly #known = new Map<string, Mailbox>();

  constructor(ledger: Ledger, partSize: number = PART_SIZE) {
    this.#ledger = ledger;
    this.#partSize = partSize;
  }

  /** The mailbox of this name; `agent:` and an address key, for agents. */
  get(name: string): Mailbox {
    return this.#get(name, null);
  }

  /** One that keeps what has ended too: the last {@link FEED_SIZE} intents that were added. */
  feed(name: string): Mailbox {
    return this.#get(name, FEED_SIZE);
  }

  #get(name: string, keeps: number | null): Mailbox {
    const known = this.#known.get(name);
    if (known !== undefined) return known;
    const mailbox = new Mailbox({ ledger: this.#ledger, name, partSize: this.#partSize, keeps });
    this.#known.set(name, mailbox);
    // Those that are forgotten find their place anew; two of one name do each other no harm.
    for (const oldest of this.#known.keys()) {
      if (this.#known.size <= MAX_KNOWN) break;
      this.#known.delete(oldest);
    }
    return mailbox;
  }
}
