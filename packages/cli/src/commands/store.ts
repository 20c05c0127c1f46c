import { listIntents } from '@durable-api/core';
import { STATUSES, type Status } from '@durable-api/protocol';
import type { Command } from '../command.ts';
import { EXIT, UsageError } from '../exit-code.ts';
import { STORE_FLAGS, newStoreUrl, storeUrl, withStore } from '../open-store.ts';
import { row } from '../row.ts';
import { painter } from '../terminal.ts';

const DAY_MS = 86_400_000;
/** How many intents one statement of a prune removes. */
const PRUNE_BATCH = 500;

/** `durable list` */
export const list: Command = {
  name: 'list',
  usage: '[--store URL] [--status STATUS]',
  summary: 'List intents of a store, newest first.',
  positionals: 0,
  flags: {
    status: {
      type: 'string',
      multiple: true,
      value: 'STATUS',
      help: 'only these; may be repeated',
    },
    operation: { type: 'string', value: 'NAME', help: 'only of this operation' },
    owner: { type: 'string', value: 'OWNER', help: 'only of this owner' },
    before: { type: 'string', value: 'ID', help: 'the page behind this intent' },
    limit: { type: 'string', value: 'N', help: 'at most so many; default 20' },
    ...STORE_FLAGS,
  },
  examples: [
    'list --store sqlite:operations.db --status FAILED --status TIMED_OUT',
    'list --operation reports.generate --json | jq -r .id',
  ],
  async run(given, terminal) {
    const statuses = given.texts('status').map(parseStatus);
    const [operation, owner, before] = ['operation', 'owner', 'before'].map((f) => given.text(f));
    const records = await withStore(storeUrl(given, terminal), (store) =>
      listIntents(store, {
        limit: given.count('limit', 1) ?? 20,
        ...(statuses.length > 0 && { statuses }),
        ...(operation !== undefined && { operation }),
        ...(owner !== undefined && { owner }),
        ...(before !== undefined && { before }),
      }),
    );
    const paint = painter(terminal, terminal.stdout);
    for (const record of records) {
      const line = given.has('json') ? JSON.stringify(record) : row(record, paint);
      terminal.stdout.write(`${line}\n`);
    }
    return EXIT.ok;
  },
};

/** `durable migrate` */
export const migrate: Command = {
  name: 'migrate',
  usage: '[--store URL]',
  summary: 'Bring the schema of a store up to date. Servers do it by themselves when they start.',
  positionals: 0,
  flags: STORE_FLAGS,
  examples: ['migrate --store postgres://localhost/app', 'migrate --store sqlite:operations.db'],
  async run(given, terminal) {
    const { byStatus } = await withStore(newStoreUrl(given, terminal), (store) => store.stats());
    if (given.has('json')) terminal.stdout.write(`${JSON.stringify({ ok: true, byStatus })}\n`);
    else terminal.stdout.write('The store is up to date.\n');
    return EXIT.ok;
  },
};

/** `durable prune` */
export const prune: Command = {
  name: 'prune',
  usage: '[--store URL] [--days N]',
  summary: 'Remove intents that ended long ago. Servers do it by themselves, bit by bit.',
  positionals: 0,
  flags: {
    days: { type: 'string', value: 'N', help: 'that ended so many days ago or more; default 7' },
    ...STORE_FLAGS,
  },
  examples: ['prune --store sqlite:operations.db --days 30'],
  async run(given, terminal) {
    const now = Date.now();
    const endedBefore = now - (given.count('days', 0) ?? 7) * DAY_MS;
    // Idempotency keys are promised for a day.
    const request = { now, endedBefore, keyedBefore: now - DAY_MS, limit: PRUNE_BATCH };
    const removed = await withStore(storeUrl(given, terminal), async (store) => {
      let count = 0;
      for (;;) {
        const pruned = await store.prune(request);
        count += pruned;
        if (pruned === 0 || terminal.signal.aborted) return count;
      }
    });
    terminal.stdout.write(
      given.has('json') ? `${JSON.stringify({ removed })}\n` : `Removed ${removed} intents.\n`,
    );
    return EXIT.ok;
  },
};

function parseStatus(text: string): Status {
  const status = STATUSES.find((one) => one === text.toUpperCase());
  if (status !== undefined) return status;
  throw new UsageError(`--status takes one of ${STATUSES.join(', ')}.`);
}
