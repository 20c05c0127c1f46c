import type { Command, Given } from '../command.ts';
import { attach, isUrl, limited, SERVER_FLAGS } from '../connect.ts';
import { EXIT, UsageError } from '../exit-code.ts';
import { STORE_FLAGS, withIntents } from '../open-store.ts';
import type { Terminal } from '../terminal.ts';
import { watch } from '../watch.ts';
import { MANY_FLAGS, retryMany } from './retry-many.ts';

/** `durable retry URL`, or `durable retry ID` of a store. */
export const retry: Command = {
  name: 'retry',
  usage: 'URL [--watch], or ID --store URL, or --status STATUS --store URL [--yes]',
  summary:
    'Do again what FAILED, TIMED_OUT or was CANCELED: a new intent with the same input, linked to the\n' +
    'old one by retried_from. In a store, a server that has the operation runs it. Without a URL or an ID\n' +
    'it is about all that fit: they are counted, and with --yes retried, each once however often you ask.',
  positionals: 1,
  optionalPositionals: 1,
  flags: {
    key: { type: 'string', value: 'KEY', help: 'an idempotency key; default: a fresh one' },
    watch: { type: 'boolean', short: 'w', help: 'with a URL: show its events until it ends' },
    ...MANY_FLAGS,
    ...SERVER_FLAGS,
    ...STORE_FLAGS,
  },
  examples: [
    'retry http://localhost:3000/reports/generate/01930b6e-8a3c-7cc1-9d0a-5b8f4a1e2c77 --watch',
    'retry 01930b6e-8a3c-7cc1-9d0a-5b8f4a1e2c77 --store sqlite:operations.db',
    'retry --status FAILED --operation reports.generate --since 2h --store sqlite:operations.db --yes',
  ],
  run(given, terminal) {
    if (given.positionals.length === 0) return retryMany(given, terminal);
    return isUrl(given.positionals[0] ?? '')
      ? retryOnServer(given, terminal)
      : retryInStore(given, terminal);
  },
};

async function retryOnServer(given: Given, terminal: Terminal): Promise<number> {
  const old = attach(given, terminal);
  const idempotencyKey = given.text('key');
  const fresh = await old.retry({ idempotencyKey, signal: limited(given, terminal) });
  const { intentId, url } = fresh;
  const found = { intent_id: intentId, retried_from: old.intentId, url };
  terminal.stdout.write(given.has('json') ? `${JSON.stringify(found)}\n` : `${url}\n`);
  return given.has('watch') ? watch(fresh, given, terminal) : EXIT.ok;
}

async function retryInStore(given: Given, terminal: Terminal): Promise<number> {
  const id = given.positionals[0] ?? '';
  if (given.has('watch')) throw new UsageError('--watch needs a URL: a store runs nothing.');
  const record = await withIntents(given, terminal, async (api) => {
    const old = await api.intents.get(id);
    if (old === null) throw new UsageError(`The store has no intent ${id}.`);
    const { operation, version, createdAt, deadlineAt } = old;
    // The one of the operation's options that a submit decides: it gets as long as the old one had.
    const deadlineMs = deadlineAt === null ? null : Math.round(deadlineAt - createdAt);
    const run = () => Promise.reject(new Error('Nothing runs here.'));
    api.declare({ name: operation, run }, { deadlineMs, version });
    return (await api.intents.retry(id, { idempotencyKey: given.text('key') })).record;
  });
  const found = { intent_id: record.id, retried_from: id, operation: record.operation };
  terminal.stdout.write(given.has('json') ? `${JSON.stringify(found)}\n` : `${record.id}\n`);
  return EXIT.ok;
}
