import { createFetch } from '#transport';
import type { BackoffOptions } from './backoff.ts';
import { errorOf, type Answer } from './answer.ts';
import { DurableClientError } from './errors.ts';
import type { Fetch, HttpDispatcher } from './transport/fetch.ts';

/** Headers as a plain object; names are case-insensitive. */
export type HeaderRecord = Readonly<Record<string, string>>;

/** The options of a {@link DurableClient}. */
export interface ClientOptions {
  /** Sent with every request. A function is asked anew for each one, so that tokens can be renewed. */
  readonly headers?: HeaderRecord | (() => HeaderRecord | Promise<HeaderRecord>) | undefined;
  /** How long the server may take to answer, beyond what it was asked to wait. Default 30,000 ms. */
  readonly timeoutMs?: number | undefined;
  /**
   * The longest silence of a healthy stream: the server's `observe.heartbeatMs`. After twice this the
   * connection is taken for dead. Default 15,000 ms.
   */
  readonly heartbeatMs?: number | undefined;
  /** How often a request is repeated after a transient failure. Observing never gives up. Default 4. */
  readonly retries?: number | undefined;
  /** How long to wait before that, and before a broken stream is opened again. */
  readonly backoff?: BackoffOptions | undefined;
  /** Whether browsers send cookies: `fetch`'s own option. Default `same-origin`. */
  readonly credentials?: 'omit' | 'same-origin' | 'include' | undefined;
  /** Node only: an undici dispatcher, for instance an `Agent` with interceptors. It stays yours to close. */
  readonly dispatcher?: HttpDispatcher | undefined;
  /** Makes the requests instead of undici or the global `fetch`. */
  readonly fetch?: Fetch | undefined;
  /** Told of every repetition and reconnection before its delay, for logs. */
  readonly onRetry?: ((retry: RetryNotice) => void) | undefined;
}

/** What {@link ClientOptions.onRetry} is told. */
export interface RetryNotice {
  readonly url: string;
  /** What failed; null when the server itself asked to come back. */
  readonly error: DurableClientError | null;
  /** How many times in a row it has failed. */
  readonly failures: number;
  readonly delayMs: number;
}

/** Options with every default in place. */
export interface ResolvedClientOptions {
  readonly baseUrl: string;
  readonly headers: () => HeaderRecord | Promise<HeaderRecord>;
  readonly timeoutMs: number;
  readonly heartbeatMs: number;
  readonly retries: number;
  readonly backoff: { readonly baseMs: number; readonly factor: number; readonly maxMs: number };
  readonly credentials: 'omit' | 'same-origin' | 'include';
  readonly fetch: Fetch;
  readonly close: () => Promise<void>;
  readonly onRetry: (retry: RetryNotice) => void;
  /** The error for an answer with an error status. */
  readonly errorOf: (answer: Answer) => DurableClientError;
}

/** Fills in defaults. @throws DurableClientError `usage` for a URL or number that cannot be. */
export function resolveOptions(
  baseUrl: string | URL,
  options: ClientOptions,
): ResolvedClientOptions {
  const { headers = {}, dispatcher, backoff = {} } = options;
  const transport =
    options.fetch === undefined
      ? createFetch(dispatcher)
      : { fetch: options.fetch, close: () => Promise.resolve() };
  return {
    ...transport,
    baseUrl: parseBase(baseUrl),
    headers: typeof headers === 'function' ? headers : () => headers,
    timeoutMs: positive('timeoutMs', options.timeoutMs ?? 30_000),
    heartbeatMs: positive('heartbeatMs', options.heartbeatMs ?? 15_000),
    retries: atLeast(0, 'retries', options.retries ?? 4),
    backoff: {
      baseMs: atLeast(0, 'backoff.baseMs', backoff.baseMs ?? 250),
      factor: atLeast(1, 'backoff.factor', backoff.factor ?? 2),
      maxMs: atLeast(0, 'backoff.maxMs', backoff.maxMs ?? 30_000),
    },
    credentials: options.credentials ?? 'same-origin',
    onRetry: options.onRetry ?? (() => {}),
    errorOf,
  };
}

function parseBase(baseUrl: string | URL): string {
  const url = URL.parse(baseUrl, globalThis.location?.href);
  if (url === null || !/^https?:$/.test(url.protocol)) {
    throw usage(
      `The base URL must be http: or https:, for instance http://localhost:3000, not ${baseUrl}`,
    );
  }
  return url.origin + url.pathname.replace(/\/+$/, '');
}

/** A longer timer would fire at once. */
export const LONGEST_TIMER_MS: number = 2 ** 31 - 1;

function positive(name: string, ms: number): number {
  if (ms > 0 && ms <= LONGEST_TIMER_MS) return ms;
  throw usage(`${name} takes milliseconds, from 1 to ${LONGEST_TIMER_MS}, not ${ms}.`);
}

function atLeast(least: number, name: string, value: number): number {
  if (value >= least) return value;
  throw usage(`${name} takes a number from ${least}, not ${value}.`);
}

/** An error in how the client is called. */
export function usage(message: string): DurableClientError {
  return new DurableClientError('usage', message);
}
