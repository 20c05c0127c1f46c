import {
  VERSION_MARK,
  type Found,
  type Store,
  type StoredResponse,
  type WatchHint,
} from '@durable-api/core';
import type { FoundRow, StoredResult } from './channel.ts';
import { splitEvents } from './event-lines.ts';
import { fromRow } from './from-row.ts';
import { packCommits, packSubmits } from './packed-writes.ts';
import { submitInTransaction } from './submit-in-transaction.ts';
import { WorkerLink } from './worker-link.ts';

/**
 * A store in one SQLite file, for one or several processes of one host. An acknowledged write survives
 * `kill -9` and power loss. All SQL is done in a thread of its own, so that neither fsync nor another
 * process's lock ever holds up the event loop. The file is created when it is not there; its folder
 * must be.
 */
export function sqliteStore(path: string): Store {
  const listeners = new Set<(hint: WatchHint) => void>();
  const link = new WorkerLink(path, (ids) => {
    for (const listener of listeners) listener({ ids });
  });
  return {
    capabilities: {
      durability: 'power-loss',
      shared: true,
      watches: true,
      clock: 'caller',
      transactions: true,
    },
    async migrate() {
      await link.call('open', null);
    },
    async submit(batch, transaction) {
      if (transaction !== undefined) return submitInTransaction(path, batch, transaction);
      const outcomes = await link.call('submit', packSubmits(batch));
      return outcomes.map((row) =>
        row === null ? { outcome: 'created' } : { outcome: 'exists', record: fromRow(row) },
      );
    },
    async claim(request) {
      const { claimed, ...left } = await link.call('claim', request);
      const each = claimed.map(([row, input]) => ({ record: fromRow(row), input }));
      return { claimed: each, ...left, now: request.now };
    },
    renew: (request) => link.call('renew', request),
    async commit(batch) {
      const outcomes = await link.call('commit', packCommits(batch));
      return outcomes.map((outcome) =>
        typeof outcome === 'string' ? { outcome } : { outcome: 'moved', record: fromRow(outcome) },
      );
    },
    async get({ ids, include = null }) {
      const found = await link.call('get', { ids, include });
      return found.map((row) => (row === null ? undefined : toFound(row)));
    },
    async events(request) {
      const lists = await link.call('events', request);
      return lists.map((rows, i) => {
        const after = request.of[i]?.after ?? 0;
        return rows.flatMap(splitEvents).filter(({ seq }) => seq > after);
      });
    },
    async list(request) {
      // The thread loads nothing of other packages.
      const rows = await link.call('list', { ...request, versionMark: VERSION_MARK });
      return rows.map(fromRow);
    },
    watch(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    prune: (request) => link.call('prune', request),
    async stats() {
      return { byStatus: await link.call('stats', null) };
    },
    async close() {
      listeners.clear();
      await link.close();
    },
  };
}

function toFound({ row, input, result, notes }: FoundRow): Found {
  return {
    record: fromRow(row),
    ...(input !== null && { input }),
    ...(result !== null && { result: unpackResult(result) }),
    ...(notes !== null && { notes }),
  };
}

function unpackResult({ head, body }: StoredResult): StoredResponse {
  const { status, headers }: Omit<StoredResponse, 'body'> = JSON.parse(head);
  return { status, headers, body };
}
