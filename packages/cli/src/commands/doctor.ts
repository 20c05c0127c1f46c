import { isTerminal } from '@durable-api/protocol';
import type { Command, Given } from '../command.ts';
import { connect, headersOf, limited, parseUrl, SERVER_FLAGS } from '../connect.ts';
import { checkCors } from '../doctor/check-cors.ts';
import { checkProtocol } from '../doctor/check-protocol.ts';
import { checkStore } from '../doctor/check-store.ts';
import { checkStream } from '../doctor/check-stream.ts';
import type { Finding } from '../doctor/finding.ts';
import { EXIT, UsageError } from '../exit-code.ts';
import { STORE_FLAGS } from '../open-store.ts';
import { readData } from '../read-data.ts';
import { painter, type Style, type Terminal } from '../terminal.ts';

const STYLES: Readonly<Record<Finding['level'], Style>> = {
  ok: 'green',
  warn: 'yellow',
  fail: 'red',
  skip: 'dim',
};

/** `durable doctor URL` */
export const doctor: Command = {
  name: 'doctor',
  usage: 'URL [--data JSON] [--origin ORIGIN] [--store URL]',
  summary:
    'Find what breaks streams in a deployment: buffering, compression, timeouts, CORS, HTTP/1.1.\n' +
    'URL is an intent, best one that is still running; or an operation, which --data is submitted to.\n' +
    'With --store the store is looked at as well; URL may then be "-".',
  positionals: 1,
  flags: {
    data: { type: 'string', short: 'd', value: 'JSON', help: 'submit this to URL and watch it' },
    origin: { type: 'string', value: 'ORIGIN', help: 'check CORS for pages of this origin' },
    seconds: { type: 'string', value: 'N', help: 'watch the stream for so long; default 20' },
    ...SERVER_FLAGS,
    ...STORE_FLAGS,
  },
  examples: [
    `doctor https://api.example/reports/generate --data '{"quarter":"Q3"}' --origin https://app.example`,
    'doctor - --store sqlite:operations.db',
  ],
  async run(given, terminal) {
    const [target = '-'] = given.positionals;
    const store =
      given.text('store') ?? (target === '-' ? terminal.env['DURABLE_STORE'] : undefined);
    if (target === '-' && store === undefined) throw new UsageError('Give a URL, or --store.');
    const found = [
      ...(target === '-' ? [] : await checkServer(parseUrl(target), given, terminal)),
      ...(store === undefined ? [] : await checkStore(store)),
    ];
    const paint = painter(terminal, terminal.stdout);
    for (const one of found) {
      const line = given.has('json')
        ? JSON.stringify(one)
        : `${paint(STYLES[one.level], one.level.padEnd(4))} ${one.check}: ${one.message}`;
      terminal.stdout.write(`${line}\n`);
    }
    return found.some(({ level }) => level === 'fail') ? EXIT.failed : EXIT.ok;
  },
};

async function checkServer(
  url: URL,
  given: Given,
  terminal: Terminal,
): Promise<readonly Finding[]> {
  const signal = limited(given, terminal);
  const headers = headersOf(given, terminal);
  const data = await readData(given.text('data'), terminal);
  const client = connect(url, given, terminal);
  const operation =
    data === undefined
      ? client.operation(url.href)
      : await client.submit(url.href, data, { signal });
  const { status } = await operation.get({ signal });
  const origin = given.text('origin');
  const watchMs = (given.count('seconds', 1) ?? 20) * 1_000;
  return [
    await checkProtocol(url),
    ...(await checkStream({
      url: `${operation.url}/events`,
      headers,
      isLive: !isTerminal(status),
      watchMs,
      firstByteMs: 5_000,
      signal,
    })),
    ...(origin === undefined ? [] : await checkCors(operation.url, origin, headers, signal)),
  ];
}
