import type { IntentRecord } from '../state/intent.ts';
import { splitOperation, storedOperation, VERSION_MARK } from '../state/stored-operation.ts';
import type { Store } from './store.ts';

/**
 * A store that knows nothing of versions, as one that does: what it has for an operation is name and
 * version as one text. So claims go by versions, and what was stored without one stays as it is.
 */
export function versionedStore(store: Store): Store {
  return {
    get capabilities() {
      return store.capabilities;
    },
    migrate: () => store.migrate(),
    async submit(batch, transaction) {
      const stored = batch.some(({ record }) => record.version !== undefined)
        ? batch.map((request) => ({ ...request, record: join(request.record) }))
        : batch;
      const results = await (transaction === undefined
        ? store.submit(stored)
        : store.submit(stored, transaction));
      return results.map((result) => (result.outcome === 'exists' ? split(result) : result));
    },
    async claim(request) {
      const result = await store.claim(request);
      return { ...result, claimed: result.claimed.map(split) };
    },
    renew: (request) => store.renew(request),
    async commit(batch) {
      const stored = batch.some(({ record }) => record.version !== undefined)
        ? batch.map((request) => ({ ...request, record: join(request.record) }))
        : batch;
      const results = await store.commit(stored);
      return results.map((result) => (result.outcome === 'moved' ? split(result) : result));
    },
    async get(request) {
      const found = await store.get(request);
      return found.map((one) => (one === undefined ? undefined : split(one)));
    },
    events: (request) => store.events(request),
    list: async (request) => (await store.list(request)).map(splitRecord),
    watch: (listener) => store.watch(listener),
    prune: (request) => store.prune(request),
    stats: () => store.stats(),
    close: () => store.close(),
  };
}

/** The record as it is stored. */
function join(record: IntentRecord): IntentRecord {
  if (record.version === undefined) return record;
  const { version: _version, ...rest } = record;
  return { ...rest, operation: storedOperation(record) };
}

function split<T extends { readonly record: IntentRecord }>(holder: T): T {
  const { record } = holder;
  const apart = splitRecord(record);
  return apart === record ? holder : { ...holder, record: apart };
}

function splitRecord(record: IntentRecord): IntentRecord {
  if (!record.operation.includes(VERSION_MARK)) return record;
  const { operation, version } = splitOperation(record.operation);
  return version === undefined ? record : { ...record, operation, version };
}
