import type { IntentRecord, Ledger, Wait } from '@durable-api/core';
import { isTerminal } from '@durable-api/protocol';
import { addTo } from '../storage/endless-intent.ts';
import { MailboxParts, type MailboxPart } from './mailbox-parts.ts';
import { decodeEntry, encodeEntry, latestOfEach, type MailboxEntry } from './mailbox-entry.ts';

/** How many entries one write takes. */
const BATCH = 256;
/** How many events one read takes. */
const PAGE = 256;

interface Pending {
  readonly entry: Omit<MailboxEntry, 'cursor'>;
  readonly resolve: (cursor: number) => void;
  readonly reject: (error: unknown) => void;
}

/** What a mailbox is made of. */
export interface MailboxSetup {
  readonly ledger: Ledger;
  readonly name: string;
  /** After how many entries another part is begun. */
  readonly partSize: number;
  /** How many entries a part takes over from those before it; null for those whose intents have not ended. */
  readonly keeps: number | null;
}

/**
 * What was sent to one address, in the order of sending, for good: a number of endless intents one after
 * the other, the parts, of which only the last is written. A part begins with what of those before it has
 * not ended, so that it is all there is to read, and the others can be removed like other ended intents.
 */
export class Mailbox {
  readonly #setup: MailboxSetup;
  readonly #parts: MailboxParts;
  #part: MailboxPart | null = null;
  #opening: Promise<MailboxPart> | null = null;
  #pending: Pending[] = [];
  #isWriting = false;

  constructor(setup: MailboxSetup) {
    this.#setup = setup;
    this.#parts = new MailboxParts(setup.ledger, setup.name, setup.keeps);
  }

  /** Adds an entry; resolves to its cursor. Those that come while others are written go together. */
  add(entry: Omit<MailboxEntry, 'cursor'>): Promise<number> {
    return new Promise((resolve, reject) => {
      this.#pending.push({ entry, resolve, reject });
      if (!this.#isWriting) void this.#write();
    });
  }

  /** The cursor of the last entry, as far as this process knows; 0 when there is none. */
  async lastCursor(): Promise<number> {
    return lastCursorOf(await this.#open());
  }

  /** Looks what others have added. */
  async refresh(): Promise<void> {
    const part = await this.#open();
    const [found] = await this.#setup.ledger.get({ ids: [part.record.id] });
    this.#note(part, found?.record ?? null);
  }

  /** What of the mailbox follows the cursor: for each intent its last entry there. */
  async after(cursor: number): Promise<readonly MailboxEntry[]> {
    const part = await this.#open();
    const entries = part.carried.filter((entry) => entry.cursor > cursor);
    let seq = Math.max(2, Math.floor(cursor / 2) - part.base + 2);
    while (seq < part.record.seq) {
      const of = [{ id: part.record.id, after: seq }];
      const [events = []] = await this.#setup.ledger.events({ of, limit: PAGE });
      for (const event of events) {
        const entry = decodeEntry(event.json, cursorOf(part, event.seq));
        if (entry !== null && entry.cursor > cursor) entries.push(entry);
        seq = event.seq;
      }
      if (events.length === 0) break;
    }
    return latestOfEach(entries);
  }

  /** Waits for an entry after the cursor; its promise resolves to null after `timeoutMs`. */
  async waitAfter(cursor: number, timeoutMs: number): Promise<Wait> {
    const part = await this.#open();
    const { record } = part;
    return this.#setup.ledger.waitFor({
      record,
      timeoutMs,
      enough: (change) => {
        this.#note(part, change.record);
        return isTerminal(change.record.status) || cursorOf(part, change.record.seq) > cursor;
      },
    });
  }

  /** Takes note of a later state of the part; null when it is gone. */
  #note(part: MailboxPart, record: IntentRecord | null): void {
    const known = this.#part;
    if (known === null || known.number !== part.number) return;
    if (record === null || isTerminal(record.status)) this.#part = null;
    else if (record.seq > known.record.seq) this.#part = { ...known, record };
  }

  #open(): Promise<MailboxPart> {
    if (this.#part !== null) return Promise.resolve(this.#part);
    this.#opening ??= this.#parts
      .last()
      .then((part) => (this.#part = part))
      .finally(() => (this.#opening = null));
    return this.#opening;
  }

  async #write(): Promise<void> {
    this.#isWriting = true;
    while (this.#pending.length > 0) {
      const batch = this.#pending.slice(0, BATCH);
      try {
        const part = await this.#open();
        const entries = batch.map(({ entry }) => encodeEntry(entry));
        const written = await addTo(this.#setup.ledger, part.record, { entries });
        this.#note(part, written?.record ?? null);
        if (written?.isWritten !== true) continue;
        this.#pending.splice(0, batch.length);
        for (const [i, { resolve }] of batch.entries()) {
          resolve(cursorOf(part, part.record.seq + 1 + i));
        }
        if (written.record.seq >= this.#setup.partSize) await this.#endPart();
      } catch (error) {
        this.#pending.splice(0, batch.length);
        for (const { reject } of batch) reject(error);
      }
    }
    this.#isWriting = false;
  }

  /** Another part begins when it is next looked at, by whoever does. */
  async #endPart(): Promise<void> {
    const part = await this.#open();
    const ended = await addTo(this.#setup.ledger, part.record, { entries: [{}], isEnd: true });
    this.#note(part, ended?.record ?? null);
  }
}

function cursorOf(part: MailboxPart, seq: number): number {
  return 2 * (part.base + seq - 2);
}

function lastCursorOf(part: MailboxPart): number {
  return cursorOf(part, part.record.seq);
}
