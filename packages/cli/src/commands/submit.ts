import { EXIT } from '../exit-code.ts';
import type { Command } from '../command.ts';
import { connect, limited, parseUrl, SERVER_FLAGS } from '../connect.ts';
import { readData } from '../read-data.ts';
import { watch } from '../watch.ts';

/** `durable submit URL` */
export const submit: Command = {
  name: 'submit',
  usage: 'URL [--data JSON] [--watch]',
  summary: 'Submit an operation; with --watch, follow it to its end.',
  positionals: 1,
  flags: {
    data: { type: 'string', short: 'd', value: 'JSON', help: 'the body; @FILE or @- reads it' },
    key: { type: 'string', value: 'KEY', help: 'an idempotency key; default: a fresh one' },
    watch: { type: 'boolean', short: 'w', help: 'show its events until it ends' },
    ...SERVER_FLAGS,
  },
  examples: [
    `submit localhost:3000/reports/generate --data '{"quarter":"Q3"}' --watch`,
    'submit https://api.example/imports --data @orders.json --key orders-2026-11-24',
    `submit localhost:3000/reports/generate -d '{"quarter":"Q3"}' --json | jq -r .url`,
  ],
  async run(given, terminal) {
    const url = parseUrl(given.positionals[0] ?? '');
    const body = await readData(given.text('data'), terminal);
    const idempotencyKey = given.text('key');
    const signal = limited(given, terminal);
    const client = connect(url, given, terminal);
    const operation = await client.submit(url.href, body, { idempotencyKey, signal });
    const { intentId, url: self } = operation;
    if (given.has('json')) {
      terminal.stdout.write(`${JSON.stringify({ intent_id: intentId, url: self })}\n`);
    } else terminal.stdout.write(`${self}\n`);
    return given.has('watch') ? watch(operation, given, terminal) : EXIT.ok;
  },
};
