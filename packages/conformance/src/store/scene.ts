import { createIntent, freedLiveKey, placeId, transition } from '@durable-api/core';
import type {
  ClaimRequest,
  Claimed,
  ClaimResult,
  Command,
  CommitRequest,
  CommitResult,
  IntentRecord,
  Store,
  StoredEvent,
  StoredResponse,
  SubmitRequest,
} from '@durable-api/core';
import { encodeEvent, type IntentEvent } from '@durable-api/protocol';
import type { StoreData, StoreSuite } from './suite.ts';

/** Where virtual time begins for stores that go by the caller's clock. */
const VIRTUAL_START_AT = Date.UTC(2031, 0, 1);

/** Long enough that nobody's lease ends during a test unless the test lets time pass. */
export const LONG_LEASE_MS = 600_000;

/** A lease that is short on the store's own clock, and how long it becomes for slow machines, in ms. */
const SHORT_LEASE_MS = 400;
const LONGEST_SHORT_LEASE_MS = 15_000;

/** Says that a short time was over before the test could use it: it has to be played more slowly. */
class TooSlow extends Error {}

/** What a test says of the intent that it wants; the rest is made up. */
export interface IntentWish {
  readonly id?: string;
  readonly operation?: string;
  readonly owner?: string;
  readonly key?: string;
  readonly fingerprint?: string;
  /** The key that limits and turns go by. */
  readonly keyed?: string;
  readonly priority?: number;
  readonly startAt?: number;
  readonly createdAt?: number;
  readonly deadlineAt?: number;
  readonly retriedFrom?: string;
  readonly parentIntentId?: string;
  readonly liveKey?: string;
  readonly eager?: { readonly holder: string; readonly until: number };
  readonly input?: string;
}

/** The stage of one test: a store on empty data, a clock, and requests as the engine makes them. */
export class StoreScene {
  /** The first store, migrated. */
  readonly store: Store;
  /** A lease short enough to wait for its end: on the store's own clock, waiting takes real time. */
  readonly shortLeaseMs: number;
  readonly #data: StoreData;
  readonly #ownClock: boolean;
  readonly #stores: Store[];
  readonly #idTail: string;
  #virtualNow = VIRTUAL_START_AT;
  /** How far the store's own clock is ahead of this process's monotonic one, at least. */
  #aheadMs = -Infinity;
  #ids = 0;

  private constructor(suite: StoreSuite, data: StoreData, store: Store, shortLeaseMs: number) {
    this.#data = data;
    this.#ownClock = suite.capabilities.clock === 'store';
    this.shortLeaseMs = shortLeaseMs;
    this.#idTail = Math.floor(Math.random() * 2 ** 32)
      .toString(16)
      .padStart(8, '0');
    this.#stores = [store];
    this.store = store;
  }

  /**
   * Runs `body` on fresh data, and clears it away afterwards whatever happened. Runs it again with a
   * longer short lease when the machine was too slow for it.
   */
  static async play(suite: StoreSuite, body: (scene: StoreScene) => Promise<void>): Promise<void> {
    const ownClock = suite.capabilities.clock === 'store';
    let shortLeaseMs = ownClock ? SHORT_LEASE_MS : LONGEST_SHORT_LEASE_MS;
    for (;;) {
      try {
        return await StoreScene.#playOnce(suite, body, shortLeaseMs);
      } catch (error) {
        const isLongest = shortLeaseMs >= LONGEST_SHORT_LEASE_MS;
        if (!(error instanceof TooSlow) || isLongest) throw error;
        shortLeaseMs = Math.min(LONGEST_SHORT_LEASE_MS, 6 * shortLeaseMs);
      }
    }
  }

  static async #playOnce(
    suite: StoreSuite,
    body: (scene: StoreScene) => Promise<void>,
    shortLeaseMs: number,
  ): Promise<void> {
    const data = await suite.create();
    const first = await data.open();
    const scene = new StoreScene(suite, data, first, shortLeaseMs);
    try {
      await first.migrate();
      await body(scene);
    } finally {
      for (const store of scene.#stores.toReversed()) await store.close();
      await data.dispose();
    }
  }

  /** Another store on the same data, migrated. */
  async open(): Promise<Store> {
    const store = await this.openUnmigrated();
    await store.migrate();
    return store;
  }

  /** Another store on the same data, before its `migrate`. */
  async openUnmigrated(): Promise<Store> {
    const store = await this.#data.open();
    this.#stores.push(store);
    return store;
  }

  /** What time it is on the clock that the store decides by. */
  async now(): Promise<number> {
    if (!this.#ownClock) return this.#virtualNow;
    const asked = {
      now: 0,
      holder: 'clock',
      leaseMs: 1,
      operations: ['no such operation'],
      limit: 1,
    };
    const { now } = await this.store.claim(asked);
    this.#aheadMs = Math.max(this.#aheadMs, now - performance.now());
    return now;
  }

  /**
   * Has the test played again, more slowly, if the instant `at` has come on the store's clock: to be
   * called between what must be done before it and what is expected of that.
   */
  async mustBeBefore(at: number): Promise<void> {
    if ((await this.now()) >= at) throw new TooSlow(`The short time was over too early: ${at}.`);
  }

  /** Lets `ms` pass on the clock that the store decides by. */
  async pass(ms: number): Promise<void> {
    if (!this.#ownClock) {
      this.#virtualNow += ms;
      return;
    }
    const until = (await this.now()) + ms;
    for (let left = ms; left > 0; left = until - (await this.now())) {
      await new Promise((resolve) => setTimeout(resolve, left));
    }
  }

  /** What time it is without asking the store again: no later than on its clock, nor before {@link now}. */
  async #roughNow(): Promise<number> {
    if (!this.#ownClock || this.#aheadMs === -Infinity) return this.now();
    return Math.floor(performance.now() + this.#aheadMs);
  }

  /** A new id, in ascending order. */
  nextId(): string {
    this.#ids += 1;
    const count = this.#ids.toString(16).padStart(4, '0');
    // The last four digits differ, since some stores go by them.
    const last = ((this.#ids * 0x9e37) & 0xffff).toString(16).padStart(4, '0');
    return `01966a5e-${count}-7000-8000-${this.#idTail}${last}`;
  }

  /** A submit as the engine makes it. */
  async request(wish: IntentWish = {}): Promise<SubmitRequest> {
    const operation = wish.operation ?? 'report';
    const given = wish.id ?? this.nextId();
    const id = wish.keyed === undefined ? given : placeId(given, operation, wish.keyed);
    const { record, events } = createIntent(
      {
        id,
        operation,
        owner: wish.owner ?? '',
        deadlineAt: wish.deadlineAt ?? null,
        idempotency:
          wish.key === undefined
            ? null
            : { key: wish.key, fingerprint: wish.fingerprint ?? 'fingerprint' },
        ...(wish.startAt !== undefined && { startAt: wish.startAt }),
        ...(wish.retriedFrom !== undefined && { retriedFrom: wish.retriedFrom }),
        ...(wish.parentIntentId !== undefined && { parentIntentId: wish.parentIntentId }),
        ...(wish.keyed !== undefined && { key: wish.keyed }),
        ...(wish.priority !== undefined && { priority: wish.priority }),
        ...(wish.liveKey !== undefined && { liveKey: wish.liveKey }),
      },
      wish.createdAt ?? (await this.#roughNow()),
      wish.eager ?? null,
    );
    return {
      record,
      events: storedEvents(id, events),
      input: wish.input ?? `{"body":{"for":"${id}"}}`,
    };
  }

  /** Submits one intent to the first store and returns what was asked. */
  async submit(wish: IntentWish = {}): Promise<SubmitRequest> {
    const request = await this.request(wish);
    const [result] = await this.store.submit([request]);
    if (result?.outcome !== 'created') throw new Error('The store did not take the intent.');
    return request;
  }

  /** Claims from the first store, or from `on`. */
  async claim(wish: Partial<ClaimRequest> = {}, on: Store = this.store): Promise<ClaimResult> {
    return on.claim({
      now: await this.#roughNow(),
      // A holder is unique to one engine, and an engine has one store.
      holder: `holder-${this.#stores.indexOf(on) + 1}`,
      leaseMs: LONG_LEASE_MS,
      operations: ['report'],
      limit: 100,
      ...wish,
    });
  }

  /** Submits one intent and claims it. */
  async claimed(wish: IntentWish = {}, claim: Partial<ClaimRequest> = {}): Promise<Claimed> {
    await this.submit(wish);
    const { claimed } = await this.claim({
      ...(wish.operation !== undefined && { operations: [wish.operation] }),
      ...claim,
    });
    const [first] = claimed;
    if (first === undefined || claimed.length > 1) throw new Error('Expected to claim one intent.');
    return first;
  }

  /** The commit that `command` makes of `record`; `lease: null` is one by somebody without a lease. */
  async change(
    record: IntentRecord,
    command: Command,
    lease: number | null = record.holder === null ? null : record.lease,
  ): Promise<CommitRequest> {
    const next = transition(record, command, await this.#roughNow());
    if (!next.ok) throw new Error(`The state machine refused ${command.type}: ${next.reason}`);
    const freesLiveKey = freedLiveKey(record, next.record);
    return {
      expected: { seq: record.seq, lease },
      record: next.record,
      events: storedEvents(record.id, next.events),
      ...(command.type === 'complete' && { result: command.result }),
      ...(freesLiveKey !== undefined && { freesLiveKey }),
    };
  }

  /** Commits what `command` makes of `record` to the first store; it must be accepted. */
  async apply(record: IntentRecord, command: Command): Promise<IntentRecord> {
    const request = await this.change(record, command);
    const [result] = await this.store.commit([request]);
    expectOk(result);
    return request.record;
  }

  /** Submits, claims, starts and completes one intent. */
  async completed(wish: IntentWish = {}): Promise<IntentRecord> {
    const { record } = await this.claimed(wish);
    const started = await this.apply(record, { type: 'start' });
    return this.apply(started, { type: 'complete', result: response('done') });
  }

  /** The record of `id` as the first store has it now. */
  async read(id: string, on: Store = this.store): Promise<IntentRecord> {
    const [found] = await on.get({ ids: [id] });
    if (found === undefined) throw new Error(`The store has no intent ${id}.`);
    return found.record;
  }

  /** All events of `id` as the first store has them now. */
  async log(id: string, on: Store = this.store): Promise<readonly StoredEvent[]> {
    const [events] = await on.events({ of: [{ id, after: 0 }], limit: 10_000 });
    return events ?? [];
  }
}

/** A response as a handler gives it. */
export function response(text: string): StoredResponse {
  return {
    status: 200,
    headers: { 'content-type': 'application/json' },
    body: new TextEncoder().encode(JSON.stringify({ text })),
  };
}

function storedEvents(id: string, events: readonly IntentEvent[]): StoredEvent[] {
  return events.map((event) => ({
    seq: event.seq,
    type: event.type,
    json: encodeEvent(id, event),
  }));
}

function expectOk(result: CommitResult | undefined): void {
  if (result?.outcome !== 'ok') throw new Error(`The store did not commit: ${result?.outcome}`);
}
