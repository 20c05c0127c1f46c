import { DurableApi, decodeInput, type IntentRecord } from '@durable-api/core';
import { STATUSES, isTerminal, type Status } from '@durable-api/protocol';
import type { Command } from '../command.ts';
import { EXIT, UsageError } from '../exit-code.ts';
import { openStore, STORE_FLAGS, storeUrl, withStore } from '../open-store.ts';
import { painter, plain } from '../terminal.ts';

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
      store.list({
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

/** `durable retry ID` */
export const retry: Command = {
  name: 'retry',
  usage: 'ID [--store URL]',
  summary: 'Submit what FAILED, TIMED_OUT or was CANCELED again: a new intent with the same input.',
  positionals: 1,
  flags: STORE_FLAGS,
  examples: ['retry 01930b6e-8a3c-7cc1-9d0a-5b8f4a1e2c77 --store sqlite:operations.db'],
  async run(given, terminal) {
    const id = given.positionals[0] ?? '';
    const store = await openStore(storeUrl(given, terminal));
    await using api = new DurableApi({ store, worker: false });
    await api.ready();
    const [found] = await store.get({ ids: [id], include: 'input' });
    if (found?.input === undefined) throw new UsageError(`The store has no intent ${id}.`);
    const { operation, owner, status } = found.record;
    if (!isTerminal(status) || status === 'COMPLETED') {
      throw new UsageError(`${id} is ${status}: only what ended without a result is retried.`);
    }
    api.declare({ name: operation, run: () => Promise.reject(new Error('Not run here.')) });
    const input = decodeInput(JSON.parse(found.input));
    const { record } = await api.intents.submit(operation, input, { owner });
    const line = { retried: id, intent_id: record.id, operation };
    terminal.stdout.write(given.has('json') ? `${JSON.stringify(line)}\n` : `${record.id}\n`);
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
    const { byStatus } = await withStore(storeUrl(given, terminal), (store) => store.stats());
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

function row(record: IntentRecord, paint: ReturnType<typeof painter>): string {
  const { id, status, operation, owner, updatedAt, error } = record;
  const style = status === 'COMPLETED' ? 'green' : isTerminal(status) ? 'red' : 'cyan';
  const parts = [
    id,
    paint(style, status.padEnd(11)),
    new Date(updatedAt).toISOString(),
    plain(operation),
    plain(owner),
    error === null ? '' : plain(`${error.code}: ${error.message}`),
  ];
  return parts.filter((part) => part !== '').join('  ');
}

function parseStatus(text: string): Status {
  const status = STATUSES.find((one) => one === text.toUpperCase());
  if (status !== undefined) return status;
  throw new UsageError(`--status takes one of ${STATUSES.join(', ')}.`);
}
