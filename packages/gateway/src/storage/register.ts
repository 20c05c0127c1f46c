import type { IntentRecord, Ledger } from '@durable-api/core';
import { isTerminal } from '@durable-api/protocol';
import { isObject, type JsonObject } from '../http/json.ts';
import { derivedId } from './derived-id.ts';
import { addTo, beginEndless, entryOf } from './endless-intent.ts';

/** The operation of registers. */
const OPERATION = 'axp.register';
/** How many events one read takes. */
const PAGE = 256;
/** How often a register is looked at without a wake-up, in ms. */
const LOOK_MS = 3_600_000;
/** How long to wait after a look that failed, in ms. */
const RETRY_MS = 1_000;

/**
 * A map from names to small JSON objects that all processes share: keys, accounts, schemas. It is one
 * endless intent: its notes are the content, its events the changes. Every process that uses it holds all
 * of it in memory and follows the events, so that reading costs nothing and a change is seen at once.
 */
export class Register {
  readonly #ledger: Ledger;
  readonly #id: string;
  readonly #values = new Map<string, JsonObject>();
  readonly #listeners = new Set<(name: string) => void>();
  #record: IntentRecord | null = null;
  #opening: Promise<void> | null = null;
  #hasLeft = false;

  constructor(ledger: Ledger, name: string) {
    this.#ledger = ledger;
    this.#id = derivedId('register', name);
    ledger.onLeave(() => (this.#hasLeft = true));
  }

  /** Reads it, once; must be waited for before anything else. */
  open(): Promise<void> {
    this.#opening ??= this.#open().catch((error: unknown) => {
      this.#opening = null;
      throw error;
    });
    return this.#opening;
  }

  get(name: string): JsonObject | undefined {
    return this.#values.get(name);
  }

  get size(): number {
    return this.#values.size;
  }

  entries(): IterableIterator<[string, JsonObject]> {
    return this.#values.entries();
  }

  /** The last changes, the latest first, each with an id of its own. */
  async history(
    limit: number,
  ): Promise<readonly { readonly id: string; readonly value: JsonObject }[]> {
    await this.open();
    const last = this.#record?.seq ?? 0;
    const of = [{ id: this.#id, after: Math.max(0, last - limit) }];
    const [events = []] = await this.#ledger.events({ of, limit });
    return events.toReversed().flatMap(({ seq, json }) => {
      const value = entryOf(json)?.details['value'];
      return isObject(value) ? [{ id: derivedId(this.#id, String(seq)), value }] : [];
    });
  }

  /** Calls `listener` with the name of whatever changes. */
  onChange(listener: (name: string) => void): void {
    this.#listeners.add(listener);
  }

  /**
   * Changes one entry to what `change` makes of it as it is, null to remove it; undefined leaves it.
   * Resolves to the entry afterwards. `change` is called again when somebody else was faster.
   */
  async update(
    name: string,
    change: (current: JsonObject | undefined) => JsonObject | null | undefined,
  ): Promise<JsonObject | undefined> {
    await this.open();
    for (;;) {
      const record = this.#record;
      if (record === null) throw new Error('The register is not open.');
      const value = change(this.#values.get(name));
      if (value === undefined) return this.#values.get(name);
      const outcome = await addTo(this.#ledger, record, {
        entries: [{ name, value }],
        notes: [{ key: name, value: JSON.stringify(value) }],
      });
      if (outcome === null) throw new Error('A register of the gateway is gone from the store.');
      if (outcome.isWritten) {
        await this.#readOn();
        return value ?? undefined;
      }
      await this.#readOn();
    }
  }

  async #open(): Promise<void> {
    await beginEndless(this.#ledger, { id: this.#id, operation: OPERATION, content: {} });
    const [found] = await this.#ledger.get({ ids: [this.#id], include: 'notes' });
    if (found === undefined) throw new Error('A register of the gateway is gone from the store.');
    this.#values.clear();
    for (const { key, value } of found.notes ?? []) this.#set(key, JSON.parse(value));
    this.#record = found.record;
    void this.#follow();
  }

  /** Never rejects: a look that failed is repeated. */
  async #follow(): Promise<void> {
    while (!this.#hasLeft && this.#record !== null) {
      const record = this.#record;
      const wait = this.#ledger.waitFor({
        record,
        timeoutMs: LOOK_MS,
        enough: (change) => change.record.seq > (this.#record?.seq ?? 0),
      });
      await wait.change;
      if (this.#hasLeft) return;
      await this.#readOn().catch(async (error: unknown) => {
        this.#ledger.logger.warn({ err: error }, 'A register of the gateway could not be read');
        await new Promise<void>((resolve) => this.#ledger.after(RETRY_MS, resolve));
      });
    }
  }

  async #readOn(): Promise<void> {
    for (;;) {
      const record = this.#record;
      if (record === null || isTerminal(record.status)) return;
      const of = [{ id: this.#id, after: record.seq }];
      const [events = []] = await this.#ledger.events({ of, limit: PAGE });
      for (const { seq, json } of events) {
        // Two readers may have read the same.
        if (seq <= (this.#record?.seq ?? 0)) continue;
        this.#record = { ...record, seq };
        const entry = entryOf(json);
        if (entry !== null) this.#apply(entry.details);
      }
      if (events.length < PAGE) return;
    }
  }

  #apply({ name, value }: JsonObject): void {
    if (typeof name !== 'string') return;
    this.#set(name, value);
    for (const listener of this.#listeners) listener(name);
  }

  #set(name: string, value: unknown): void {
    if (isObject(value)) this.#values.set(name, value);
    else this.#values.delete(name);
  }
}
