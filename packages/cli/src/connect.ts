import { DurableClient, type Operation } from '@durable-api/client';
import type { Flag, Given } from './command.ts';
import { UsageError } from './exit-code.ts';
import { plain, type Terminal } from './terminal.ts';

/** Flags of commands that talk to a server. */
export const SERVER_FLAGS: Readonly<Record<string, Flag>> = {
  header: {
    type: 'string',
    short: 'H',
    multiple: true,
    value: "'NAME: VALUE'",
    help: 'send a header; may be repeated',
  },
  timeout: { type: 'string', value: 'SECONDS', help: 'give up after so long' },
};

/** Whether an argument is meant as a URL, not as the id of an intent in a store. */
export function isUrl(text: string): boolean {
  return /[/:]/.test(text);
}

/** A URL on a server. @throws UsageError */
export function parseUrl(text: string): URL {
  const url = URL.parse(/^[a-z]+:\/\//i.test(text) ? text : `http://${text}`);
  if (url !== null && /^https?:$/.test(url.protocol)) return url;
  throw new UsageError(`"${text}" is no http: or https: URL.`);
}

/** The headers that the flags and the environment ask for. @throws UsageError */
export function headersOf(given: Given, { env }: Pick<Terminal, 'env'>): Record<string, string> {
  const { DURABLE_TOKEN: token } = env;
  const headers: Record<string, string> = {};
  if (token !== undefined && token !== '') headers['authorization'] = `Bearer ${token}`;
  for (const line of given.texts('header')) {
    const [, name, value] = /^([\w!#$%&'*+.^`|~-]+)\s*:\s*(.*)$/.exec(line) ?? [];
    if (name === undefined || value === undefined) {
      throw new UsageError(`--header takes 'Name: value', not "${line}".`);
    }
    headers[name.toLowerCase()] = value;
  }
  return headers;
}

/** A client for the server of `url`. */
export function connect(url: URL, given: Given, terminal: Terminal): DurableClient {
  return new DurableClient(url.origin, {
    headers: headersOf(given, terminal),
    onRetry: ({ error, delayMs }) => {
      const why = error === null ? 'The server ended the stream' : plain(error.message);
      const seconds = (delayMs / 1_000).toFixed(1);
      terminal.stderr.write(`${why} Again in ${seconds} s.\n`);
    },
  });
}

/** The operation at the URL that was given first. */
export function attach(given: Given, terminal: Terminal): Operation {
  const url = parseUrl(given.positionals[0] ?? '');
  return connect(url, given, terminal).operation(url.href);
}

/** Ends with the person's patience, or after `--timeout`. */
export function limited(given: Given, { signal }: Terminal): AbortSignal {
  const seconds = given.count('timeout', 1);
  if (seconds === undefined) return signal;
  return AbortSignal.any([signal, AbortSignal.timeout(seconds * 1_000)]);
}
