import { once } from 'node:events';
import { createServer } from 'node:http';
import { DurableApi, type Logger } from '@durable-api/core';
import { gateway } from '@durable-api/gateway';
import type { Command } from '../command.ts';
import { EXIT, UsageError } from '../exit-code.ts';
import { newStoreUrl, openStore, STORE_FLAGS } from '../open-store.ts';
import type { Terminal } from '../terminal.ts';

/** `durable serve` */
export const serve: Command = {
  name: 'serve',
  usage: '[--store URL] [--port PORT]',
  summary:
    'Serve the AXP intent protocol over a store: for agents and callers in any language, by base URL.\n' +
    'Keys are minted by "durable keys mint"; DURABLE_ADMIN_KEY is one that need not be.',
  positionals: 0,
  flags: {
    port: { type: 'string', short: 'p', value: 'PORT', help: 'where to listen; default 8100' },
    host: { type: 'string', value: 'HOST', help: 'on which address; default 127.0.0.1' },
    open: { type: 'boolean', help: 'let in anybody, without a key' },
    ...STORE_FLAGS,
  },
  examples: ['serve --store sqlite:file.db --port 8100', 'serve --store postgres://localhost/app'],
  async run(given, terminal) {
    const port = given.count('port', 0) ?? 8_100;
    if (port > 65_535) throw new UsageError('--port takes a port, which is at most 65535.');
    const host = given.text('host') ?? '127.0.0.1';
    const adminKey = terminal.env['DURABLE_ADMIN_KEY'];
    const logger = loggerOf(terminal);
    const store = await openStore(newStoreUrl(given, terminal), logger);
    await using api = new DurableApi({ store, logger });
    const answer = gateway(api, {
      open: given.has('open'),
      adminKeys: adminKey === undefined || adminKey === '' ? [] : [adminKey],
    });
    await api.ready();
    const server = createServer(answer);
    server.listen(port, host);
    await once(server, 'listening');
    const address = server.address();
    const at = typeof address === 'object' && address !== null ? address.port : port;
    const url = `http://${host.includes(':') ? `[${host}]` : host}:${at}`;
    terminal.stdout.write(
      given.has('json') ? `${JSON.stringify({ ok: true, url })}\n` : `Listening on ${url}\n`,
    );
    await interrupted(terminal.signal);
    // Streams end first, or they would keep the server open.
    await api.stop();
    server.close();
    server.closeIdleConnections();
    await once(server, 'close');
    return EXIT.ok;
  },
};

async function interrupted(signal: AbortSignal): Promise<void> {
  if (!signal.aborted) await once(signal, 'abort');
}

function loggerOf({ stderr }: Terminal): Logger {
  const write =
    (level: string): Logger['warn'] =>
    (context, message) => {
      const cause =
        'err' in context && context.err instanceof Error ? `: ${context.err.message}` : '';
      stderr.write(`${level}: ${message}${cause}\n`);
    };
  const silent = (): void => {};
  return { debug: silent, info: silent, warn: write('warn'), error: write('error') };
}
