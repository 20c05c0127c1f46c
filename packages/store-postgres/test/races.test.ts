import type { Claimed, CommitRequest, IntentRecord, Store } from '@durable-api/core';
import { isTerminal } from '@durable-api/protocol';
import { postgresStore } from '@durable-api/store-postgres';
import { afterAll, afterEach, beforeEach, describe, expect, it } from 'vitest';
import { claimRequest, commitRequest, logOf, recordOf, submitRequest } from './support/intents.ts';
import { findTestDatabase } from './support/test-database.ts';

const database = await findTestDatabase();

/** Few intents and many writers, so that statements meet on the same rows all the time. */
const INTENTS = 12;
const WRITERS = 8;
const ROUNDS = 120;

/** What the writers have been told, to be compared with what is stored. */
class Ledger {
  readonly claims = new Set<string>();
  readonly doubleClaims: string[] = [];
  readonly written = new Map<string, string[]>();
  readonly givenBack = new Map<string, number>();
  /** Intents that somebody without a lease has ended, whether or not somebody else had just taken one. */
  readonly endedByOthers = new Set<string>();

  claimed({ record }: Claimed): void {
    const lease = `${record.id} ${record.lease}`;
    if (this.claims.has(lease)) this.doubleClaims.push(lease);
    this.claims.add(lease);
  }

  committed({ record, events, expected }: CommitRequest): void {
    const all = this.written.get(record.id) ?? [];
    all.push(...events.map((event) => `${event.seq} ${event.json}`));
    this.written.set(record.id, all);
    if (expected.lease !== null && record.holder === null) this.gaveBack(record.id);
    if (expected.lease === null && isTerminal(record.status)) this.endedByOthers.add(record.id);
  }

  gaveBack(id: string): void {
    this.givenBack.set(id, (this.givenBack.get(id) ?? 0) + 1);
  }
}

describe.skipIf(database === null)('writers that meet on the same intents', () => {
  if (database === null) return;
  let schema: ReturnType<typeof database.schema>;
  let stores: Store[];

  beforeEach(async () => {
    schema = database.emptySchema();
    const { name } = schema;
    stores = Array.from({ length: 2 }, () =>
      postgresStore({ connectionString: database.url, schema: name, timeoutMs: 30_000 }),
    );
    await Promise.all(stores.map((store) => store.migrate()));
  });

  afterEach(async () => {
    await Promise.all(stores.map((store) => store.close()));
    await schema.drop();
  });

  afterAll(() => database.end());

  it('never share a lease, lose an update or leave a gap', async () => {
    const [first] = stores;
    if (first === undefined) throw new Error('There is no store.');
    const ledger = new Ledger();
    const requests = Array.from({ length: INTENTS }, () => submitRequest());
    await first.submit(requests);
    for (const { record, events } of requests) {
      ledger.written.set(
        record.id,
        events.map((event) => `${event.seq} ${event.json}`),
      );
    }
    const ids = requests.map(({ record }) => record.id);
    await Promise.all(
      Array.from({ length: WRITERS }, (_, i) => write(stores[i % 2] ?? first, i, ids, ledger)),
    );
    expect(ledger.doubleClaims).toEqual([]);
    for (const id of ids) {
      const record = await recordOf(first, id);
      const events = await logOf(first, id);
      expect(events.map((event) => `${event.seq} ${event.json}`)).toEqual(
        ledger.written.get(id)?.sort((a, b) => Number.parseInt(a, 10) - Number.parseInt(b, 10)),
      );
      expect(events.map(({ seq }) => seq)).toEqual(events.map((_, i) => i + 1));
      expect(events).toHaveLength(record.seq);
      const isHeld = record.holder === null ? 0 : 1;
      const givenBack = ledger.givenBack.get(id) ?? 0;
      const lost = record.lease - givenBack - isHeld;
      expect(ledger.endedByOthers.has(id) ? [lost, lost - 1] : [lost]).toContain(record.lostLeases);
    }
  });

  /** Claims with leases that end at once, commits, renews, gives back and interferes, at random. */
  async function write(
    store: Store,
    writer: number,
    ids: readonly string[],
    ledger: Ledger,
  ): Promise<void> {
    const held = new Map<string, IntentRecord>();
    for (let round = 0; round < ROUNDS; round += 1) {
      const holder = `writer-${writer}`;
      const limit = 1 + Math.floor(Math.random() * 4);
      const leaseMs = Math.floor(Math.random() * 12);
      const { claimed } = await store.claim(claimRequest({ holder, leaseMs, limit }));
      for (const one of claimed) {
        ledger.claimed(one);
        held.set(one.record.id, one.record);
      }
      const commits = [...held.values()].map((record) => change(record, round));
      // Somebody who holds no lease interferes, on what may be held by any of the others.
      const id = ids[Math.floor(Math.random() * ids.length)] ?? '';
      const record = await recordOf(store, id);
      const meddles = !held.has(id) && !isTerminal(record.status);
      if (meddles && record.cancelRequestedAt === null && round > ROUNDS / 2) {
        commits.push(commitRequest(record, [{ type: 'requestCancel' }], null));
      }
      const results = await store.commit(commits);
      for (const [i, request] of commits.entries()) {
        if (results[i]?.outcome !== 'ok') held.delete(request.record.id);
        else {
          ledger.committed(request);
          if (request.record.holder === null) held.delete(request.record.id);
          else held.set(request.record.id, request.record);
        }
      }
      await renewOrGiveBack(store, held, ledger);
    }
  }

  function change(record: IntentRecord, round: number): CommitRequest {
    const begun = record.status === 'IN_PROGRESS' ? [] : [{ type: 'start' } as const];
    const dice = Math.random();
    const failure = { code: 'again', message: 'Again.', retryable: true };
    if (dice < 0.4) {
      return commitRequest(record, [...begun, { type: 'fail', failure, retryAfterMs: 0 }]);
    }
    if (dice < 0.45 && round > (ROUNDS * 3) / 4) {
      return commitRequest(record, [...begun, { type: 'fail', failure, retryAfterMs: null }]);
    }
    return commitRequest(record, [...begun, { type: 'progress', progress: { fraction: 0.5 } }]);
  }

  async function renewOrGiveBack(
    store: Store,
    held: Map<string, IntentRecord>,
    ledger: Ledger,
  ): Promise<void> {
    const leases = [...held.values()].map(({ id, lease }) => ({
      id,
      lease,
      release: Math.random() < 0.3,
    }));
    const results = await store.renew({ now: 0, leaseMs: 5, leases });
    for (const [i, { id, release }] of leases.entries()) {
      const isHeld = results[i]?.held === true;
      if (isHeld && release) ledger.gaveBack(id);
      if (!isHeld || release) held.delete(id);
    }
  }
});
