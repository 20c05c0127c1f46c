import type { IntentRecord, Ledger } from '@durable-api/core';
import { isTerminal } from '@durable-api/protocol';
import { derivedId } from '../storage/derived-id.ts';
import { addTo, beginEndless, endlessContent } from '../storage/endless-intent.ts';
import {
  carriedEntries,
  decodeEntry,
  encodeCarried,
  latestOfEach,
  type MailboxEntry,
} from './mailbox-entry.ts';

const PART = 'axp.mailbox';
const DIRECTORY = 'axp.address';
/** The note of a directory that says which part is the last. */
const LAST = 'part';
/** How many intents one look takes, and how many events. */
const PAGE = 256;

/** A part of a mailbox. */
export interface MailboxPart {
  readonly number: number;
  readonly record: IntentRecord;
  /** How many entries the parts before it may have had. */
  readonly base: number;
  /** What of them had not ended. */
  readonly carried: readonly MailboxEntry[];
}

/** Finds the last part of a mailbox, and begins one where there is none or the last has ended. */
export class MailboxParts {
  readonly #ledger: Ledger;
  readonly #name: string;
  readonly #keeps: number | null;

  /** `keeps`: how many entries a part takes over; null for those whose intents have not ended. */
  constructor(ledger: Ledger, name: string, keeps: number | null) {
    this.#ledger = ledger;
    this.#name = name;
    this.#keeps = keeps;
  }

  async last(): Promise<MailboxPart> {
    const first = await this.#lastKnown();
    let part = (await this.#find(first)) ?? (await this.#begin(first, 0, []));
    while (isTerminal(part.record.status)) {
      const next = part.number + 1;
      part = (await this.#find(next)) ?? (await this.#beginAfter(part));
      await this.#noteLast(next);
    }
    return part;
  }

  async #lastKnown(): Promise<number> {
    const ids = [derivedId(DIRECTORY, this.#name)];
    const [found] = await this.#ledger.get({ ids, include: 'notes' });
    return Number(found?.notes?.find((note) => note.key === LAST)?.value ?? 0);
  }

  async #noteLast(number: number): Promise<void> {
    const id = derivedId(DIRECTORY, this.#name);
    const content = { mailbox: this.#name };
    let record = await beginEndless(this.#ledger, { id, operation: DIRECTORY, content });
    for (;;) {
      const [found] = await this.#ledger.get({ ids: [id], include: 'notes' });
      const known = Number(found?.notes?.find((note) => note.key === LAST)?.value ?? 0);
      if (known >= number) return;
      const notes = [{ key: LAST, value: String(number) }];
      const added = await addTo(this.#ledger, found?.record ?? record, {
        entries: [{ part: number }],
        notes,
      });
      if (added === null || added.isWritten) return;
      record = added.record;
    }
  }

  async #find(number: number): Promise<MailboxPart | null> {
    const ids = [this.#idOf(number)];
    const [found] = await this.#ledger.get({ ids, include: 'input' });
    if (found === undefined) return null;
    const { base, carried } = endlessContent(found);
    const { record } = found;
    return { number, record, base: Number(base ?? 0), carried: carriedEntries(carried) };
  }

  async #begin(
    number: number,
    base: number,
    carried: readonly MailboxEntry[],
  ): Promise<MailboxPart> {
    const content = { mailbox: this.#name, base, carried: carried.map(encodeCarried) };
    const id = this.#idOf(number);
    const record = await beginEndless(this.#ledger, { id, operation: PART, content });
    // Somebody else may have begun it, with other entries carried over.
    return (await this.#find(number)) ?? { number, record, base, carried };
  }

  async #beginAfter(part: MailboxPart): Promise<MailboxPart> {
    const entries = [...part.carried];
    let seq = 2;
    while (seq < part.record.seq) {
      const of = [{ id: part.record.id, after: seq }];
      const [events = []] = await this.#ledger.events({ of, limit: PAGE });
      for (const event of events) {
        const entry = decodeEntry(event.json, 2 * (part.base + event.seq - 2));
        if (entry !== null) entries.push(entry);
        seq = event.seq;
      }
      if (events.length === 0) break;
    }
    const base = part.base + part.record.seq - 2;
    const latest = latestOfEach(entries);
    const kept = this.#keeps === null ? await this.#unfinished(latest) : latest.slice(-this.#keeps);
    return this.#begin(part.number + 1, base, kept);
  }

  async #unfinished(entries: readonly MailboxEntry[]): Promise<MailboxEntry[]> {
    const unfinished: MailboxEntry[] = [];
    for (let i = 0; i < entries.length; i += PAGE) {
      const page = entries.slice(i, i + PAGE);
      const found = await this.#ledger.get({ ids: page.map((entry) => entry.intentId) });
      unfinished.push(
        ...page.filter((_, n) => {
          const record = found[n]?.record;
          return record !== undefined && !isTerminal(record.status);
        }),
      );
    }
    return unfinished;
  }

  #idOf(number: number): string {
    return derivedId(PART, this.#name, String(number));
  }
}
