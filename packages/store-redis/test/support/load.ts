import { randomUUID } from 'node:crypto';
import type { Store } from '@durable-api/core';
import { expect, vi } from 'vitest';
import { claimAll, completion, seqsOf, submitRequest } from './intents.ts';

const PATIENCE = { timeout: 60_000, interval: 20 };

/** Submits, claims and completes intents without pause, and keeps a ledger of what was acknowledged. */
export class Load {
  /** The seq up to which the writes of each intent were acknowledged. */
  readonly acknowledged = new Map<string, number>();
  failureCount = 0;
  #isOver = false;
  readonly #work: Promise<unknown>;

  constructor(store: Store, submitters = 32) {
    const submits = Array.from({ length: submitters }, (_, i) => this.#submit(store, i % 2 === 0));
    this.#work = Promise.all([...submits, this.#complete(store)]);
  }

  /** Resolves when so many more submits were acknowledged. */
  async more(count: number): Promise<void> {
    const target = this.acknowledged.size + count;
    await vi.waitFor(() => expect(this.acknowledged.size).toBeGreaterThanOrEqual(target), PATIENCE);
  }

  async stop(): Promise<void> {
    this.#isOver = true;
    await this.#work;
  }

  /** Ends all that is left and compares the ledger with what is stored. */
  async verify(store: Store): Promise<void> {
    await vi.waitFor(async () => {
      const claimed = await claimAll(store);
      const results = await store.commit(claimed.map(({ record }) => completion(record)));
      for (const result of results) expect(result).toEqual({ outcome: 'ok' });
      const { byStatus } = await store.stats();
      expect(Object.keys(byStatus)).toEqual(['COMPLETED']);
    }, PATIENCE);
    const ids = [...this.acknowledged.keys()];
    const found = await store.get({ ids });
    for (const [i, id] of ids.entries()) {
      const record = found[i]?.record;
      expect(record).toMatchObject({ id, status: 'COMPLETED' });
      expect(record?.seq).toBeGreaterThanOrEqual(this.acknowledged.get(id) ?? 0);
      const seqs = await seqsOf(store, id);
      expect(seqs).toEqual(Array.from({ length: record?.seq ?? 0 }, (_, n) => n + 1));
    }
  }

  async #submit(store: Store, isKeyed: boolean): Promise<void> {
    while (!this.#isOver) {
      const request = submitRequest(isKeyed ? { key: randomUUID() } : {});
      const [result] = await store.submit([request]).catch(() => []);
      if (result?.outcome === 'created') {
        this.#acknowledge(request.record.id, request.record.seq);
        continue;
      }
      this.failureCount += 1;
      await new Promise((resolve) => setImmediate(resolve));
    }
  }

  async #complete(store: Store): Promise<void> {
    while (!this.#isOver) {
      // A lease that is lost with its answer ends soon, so that the intent can be ended after all.
      const claimed = await claimAll(store, 64, 1_000).catch(() => []);
      const commits = claimed.map(({ record }) => completion(record));
      const results = await store.commit(commits).catch(() => []);
      for (const [i, result] of results.entries()) {
        const record = commits[i]?.record;
        if (result.outcome === 'ok' && record) this.#acknowledge(record.id, record.seq);
      }
      await new Promise((resolve) => setImmediate(resolve));
    }
  }

  #acknowledge(id: string, seq: number): void {
    this.acknowledged.set(id, Math.max(seq, this.acknowledged.get(id) ?? 0));
  }
}
