import type { Command, Given } from '../command.ts';
import { attach, isUrl, limited, SERVER_FLAGS } from '../connect.ts';
import { EXIT } from '../exit-code.ts';
import { STORE_FLAGS, withIntents } from '../open-store.ts';
import { painter, type Terminal } from '../terminal.ts';
import { row } from '../row.ts';
import { showSnapshot } from '../watch.ts';

/** `durable cancel URL`, or `durable cancel ID` of a store. */
export const cancel: Command = {
  name: 'cancel',
  usage: 'URL, or ID --store URL',
  summary: 'Ask an operation to stop.',
  positionals: 1,
  flags: { ...SERVER_FLAGS, ...STORE_FLAGS },
  examples: [
    'cancel http://localhost:3000/reports/generate/01930b6e-8a3c-7cc1-9d0a-5b8f4a1e2c77',
    'cancel 01930b6e-8a3c-7cc1-9d0a-5b8f4a1e2c77 --store sqlite:operations.db',
  ],
  async run(given, terminal) {
    const target = given.positionals[0] ?? '';
    if (!isUrl(target)) return cancelInStore(target, given, terminal);
    const signal = limited(given, terminal);
    showSnapshot(await attach(given, terminal).cancel({ signal }), given, terminal);
    return EXIT.ok;
  },
};

async function cancelInStore(id: string, given: Given, terminal: Terminal): Promise<number> {
  const record = await withIntents(given, terminal, ({ intents }) =>
    intents.cancel(id, { actor: 'durable cancel' }),
  );
  const { stdout } = terminal;
  const line = given.has('json') ? JSON.stringify(record) : row(record, painter(terminal, stdout));
  stdout.write(`${line}\n`);
  return EXIT.ok;
}
