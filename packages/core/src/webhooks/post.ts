import { lookup as lookUp } from 'node:dns/promises';
import type { LookupAddress } from 'node:dns';
import { request } from 'node:https';
import { isIP, type LookupFunction } from 'node:net';
import type { Clock } from '../clock.ts';
import { HandlerFault } from '../handler-fault.ts';
import type { AddressRules } from './addresses.ts';
import { DeliveryError } from './delivery-error.ts';
import { addressOf } from './host-pattern.ts';
import type { WebhookAnswer, WebhookPost } from './webhook-options.ts';

/** All addresses of a host. */
type LookUp = (host: string) => Promise<readonly LookupAddress[]>;

/** How a POST is made. */
export interface PostSetup {
  readonly addresses: AddressRules;
  readonly clock: Clock;
  readonly timeoutMs: number;
  readonly ca?: string | readonly string[] | undefined;
  /** Default: the host's own resolver. */
  readonly lookUp?: LookUp;
}

/** Longest time until the connection stands, in ms. */
const CONNECT_MS = 5_000;
/** What is read of an answer's body before the connection is closed, in bytes. */
const MAX_BODY_BYTES = 16_384;

/**
 * Makes one POST over HTTPS, and follows no redirect. The host is resolved once, all of its addresses are
 * checked, and the connection goes to one of those: what the name means a moment later changes nothing.
 * @throws HandlerFault `webhook_refused` for an address that may not be reached, DeliveryError for no answer
 */
export async function post(
  { url, headers, body, signal }: WebhookPost,
  setup: PostSetup,
): Promise<WebhookAnswer> {
  const { clock, timeoutMs } = setup;
  const late = new AbortController();
  const expire = (what: string, ms: number) =>
    clock.setTimeout(() => late.abort(new DeliveryError(`${what} within ${ms} ms.`)), ms);
  const connecting = expire('No connection', Math.min(CONNECT_MS, timeoutMs));
  const total = expire('No answer', timeoutMs);
  const either = AbortSignal.any([signal, late.signal]);
  try {
    const target = new URL(url);
    const pinned = await unlessAborted(resolve(target, setup), either);
    const onConnected = (): void => connecting.cancel();
    const parts = { target, headers, body, pinned, ca: setup.ca, signal: either, onConnected };
    return await exchange(parts);
  } finally {
    connecting.cancel();
    total.cancel();
  }
}

async function resolve(
  url: URL,
  { addresses, lookUp: find = systemLookUp }: PostSetup,
): Promise<readonly LookupAddress[]> {
  const literal = addressOf(url);
  const found =
    literal === null ? await find(url.hostname) : [{ address: literal, family: isIP(literal) }];
  if (found.length === 0) throw new DeliveryError(`${url.hostname} has no address.`);
  for (const { address } of found) {
    if (addresses.mayReach(address)) continue;
    const message =
      `${url.hostname} is ${address}, which is not on the public internet. If webhooks may go there, name ` +
      'its subnet in webhooks.allowPrivate.';
    throw new HandlerFault('webhook_refused', message);
  }
  return found;
}

async function systemLookUp(host: string): Promise<readonly LookupAddress[]> {
  try {
    return await lookUp(host, { all: true });
  } catch (error) {
    throw failed(error);
  }
}

interface Parts extends Pick<WebhookPost, 'headers' | 'body' | 'signal'> {
  readonly target: URL;
  readonly pinned: readonly LookupAddress[];
  readonly ca: PostSetup['ca'];
  readonly onConnected: () => void;
}

function exchange(parts: Parts): Promise<WebhookAnswer> {
  const { target, headers, body, pinned, ca, signal, onConnected } = parts;
  const { hostname, port, pathname, search } = target;
  const host = addressOf(target) ?? hostname;
  return new Promise((resolved, reject) => {
    const sent = request({
      method: 'POST',
      host,
      port: port === '' ? 443 : Number(port),
      path: pathname + search,
      headers: { ...headers, 'content-length': String(Buffer.byteLength(body)) },
      // No connection is shared, and no environment variable turns the check of the certificate off.
      agent: false,
      rejectUnauthorized: true,
      lookup: pinnedLookup(pinned),
      ...(isIP(host) === 0 && { servername: host }),
      ...(ca !== undefined && { ca: typeof ca === 'string' ? ca : [...ca] }),
      signal,
    });
    sent.on('socket', (socket) => socket.once('secureConnect', onConnected));
    sent.on('error', (error) => reject(signal.aborted ? signal.reason : failed(error)));
    sent.on('response', (response) => {
      const { statusCode: status = 0 } = response;
      const retryAfter = response.headers['retry-after'];
      let bytes = 0;
      response.on('data', (chunk: Buffer) => {
        bytes += chunk.byteLength;
        if (bytes > MAX_BODY_BYTES) response.destroy();
      });
      // Its head has said it all, also when the rest is cut off.
      response.on('error', () => {});
      response.on('close', () => resolved({ status, retryAfter }));
    });
    sent.end(body);
  });
}

/** Gives the addresses that were checked, whatever the name means by now. */
function pinnedLookup(pinned: readonly LookupAddress[]): LookupFunction {
  return (_host, { all }, callback) => {
    const [first] = pinned;
    if (all === true) callback(null, [...pinned]);
    else if (first !== undefined) callback(null, first.address, first.family);
  };
}

function unlessAborted<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolved, reject) => {
    const abort = (): void => reject(signal.reason);
    if (signal.aborted) abort();
    signal.addEventListener('abort', abort, { once: true });
    work.then(resolved, reject);
  });
}

function failed(error: unknown): DeliveryError {
  const { message } = error instanceof Error ? error : new Error(String(error));
  const options = { cause: error };
  // What Node says when it has tried several addresses has no message.
  const inner = error instanceof AggregateError ? error.errors.map(String).join('; ') : message;
  return new DeliveryError(`The receiver could not be reached: ${inner || 'no reason'}`, options);
}
