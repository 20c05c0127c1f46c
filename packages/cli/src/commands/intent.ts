import { attach, limited, SERVER_FLAGS } from '../connect.ts';
import type { Command } from '../command.ts';
import { EXIT } from '../exit-code.ts';
import { showSnapshot, watch } from '../watch.ts';

const URL_OF_INTENT = 'http://localhost:3000/reports/generate/01930b6e-8a3c-7cc1-9d0a-5b8f4a1e2c77';

/** `durable observe URL` */
export const observe: Command = {
  name: 'observe',
  usage: 'URL [--after SEQ]',
  summary: 'Follow an operation to its end, over restarts and lost connections.',
  positionals: 1,
  flags: {
    after: { type: 'string', value: 'SEQ', help: 'only events after this one' },
    ...SERVER_FLAGS,
  },
  examples: [`observe ${URL_OF_INTENT}`, `observe ${URL_OF_INTENT} --json | jq .event_type`],
  run: (given, terminal) =>
    watch(attach(given, terminal), given, terminal, given.count('after', 0)),
};

/** `durable get URL` */
export const get: Command = {
  name: 'get',
  usage: 'URL',
  summary: 'Print the state of an operation.',
  positionals: 1,
  flags: SERVER_FLAGS,
  examples: [`get ${URL_OF_INTENT}`],
  async run(given, terminal) {
    const signal = limited(given, terminal);
    showSnapshot(await attach(given, terminal).get({ signal }), given, terminal);
    return EXIT.ok;
  },
};

/** `durable result URL` */
export const result: Command = {
  name: 'result',
  usage: 'URL',
  summary: 'Wait for the end of an operation and print what its handler answered, byte for byte.',
  positionals: 1,
  flags: SERVER_FLAGS,
  examples: [`result ${URL_OF_INTENT} > report.csv`, `result ${URL_OF_INTENT} --timeout 60`],
  async run(given, terminal) {
    const signal = limited(given, terminal);
    const response = await attach(given, terminal).response({ signal });
    terminal.stdout.write(new Uint8Array(await response.arrayBuffer()));
    return EXIT.ok;
  },
};
