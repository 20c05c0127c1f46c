import type { OutgoingHttpHeader, ServerResponse } from 'node:http';
import { HandlerFault, resultTooLarge } from '@durable-api/core';
import type { Outcome } from './outcome.ts';
import { storedHeaders } from './stored-headers.ts';

const CAPTURE = Symbol('durable-api.capture');

type Written = () => void;
type Headers = Readonly<Record<string, OutgoingHttpHeader>> | readonly OutgoingHttpHeader[];

type Show = (bytes: Uint8Array, contentType: string | undefined) => unknown;

/** How a response is captured. */
export interface CaptureOptions {
  readonly maxBytes: number;
  readonly show: Show;
}

/** What a response that is captured has gathered. */
class Capture {
  readonly outcome: Outcome;
  readonly maxBytes: number;
  readonly chunks: Uint8Array[] = [];
  /** Shows observers a part of a response that is written bit by bit. */
  readonly show: Show;
  bytes = 0;
  /** Whether a part of the response was shown: then all of it is. */
  isShown = false;

  constructor(outcome: Outcome, { maxBytes, show }: CaptureOptions) {
    this.outcome = outcome;
    this.maxBytes = maxBytes;
    this.show = show;
  }
}

interface CapturedResponse extends ServerResponse {
  [CAPTURE]: Capture;
}

/**
 * Makes what is written to `res` the answer of `outcome`. Only the three methods that everything else
 * in Node, Express and middleware ends in are replaced; the rest of `res` is real.
 */
export function captureResponse(
  res: ServerResponse,
  outcome: Outcome,
  options: CaptureOptions,
): void {
  const own = { [CAPTURE]: new Capture(outcome, options), writeHead, write, end, flushHeaders };
  Object.assign(res, own);
}

/** Tells the listeners of a response and its request that nobody will read an answer any more. */
export function closeResponse(res: ServerResponse): void {
  res.socket?.destroy();
  res.req.destroy();
  emitClose(res);
}

function writeHead(
  this: CapturedResponse,
  status: number,
  reason?: string | Headers,
  headers?: Headers,
): ServerResponse {
  if (this.headersSent) throw coded('ERR_HTTP_HEADERS_SENT', 'The headers were sent before.');
  if (!Number.isInteger(status) || status < 200 || status > 999) {
    throw new RangeError(`A final response has a status from 200 to 999, received ${status}.`);
  }
  this.statusCode = status;
  if (typeof reason === 'string') this.statusMessage = reason;
  setHeaders(this, typeof reason === 'object' ? reason : headers);
  if (this.hasHeader('set-cookie')) {
    const message =
      'The handler set a cookie, but its response is stored and served later, to whoever asks for ' +
      'the result. Set cookies in a middleware before the operation, or answer with the value.';
    throw new HandlerFault('response_refused', message);
  }
  // What Node tells "headers sent" by; with it, setHeader() throws as it does on a sent response.
  Reflect.set(this, '_header', 'captured');
  return this;
}

function setHeaders(res: ServerResponse, headers: Headers | undefined): void {
  if (headers === undefined) return;
  if (!isList(headers)) {
    for (const [name, value] of Object.entries(headers)) res.setHeader(name, value);
    return;
  }
  // As Node takes them: name, value, name, value, …
  for (let i = 0; i + 1 < headers.length; i += 2) {
    const value = headers[i + 1];
    if (value !== undefined) res.setHeader(String(headers[i]), value);
  }
}

function isList(headers: Headers): headers is readonly OutgoingHttpHeader[] {
  return Array.isArray(headers);
}

function flushHeaders(this: CapturedResponse): void {
  if (!this.headersSent) this.writeHead(this.statusCode);
}

function write(
  this: CapturedResponse,
  chunk: unknown,
  encoding?: BufferEncoding | Written,
  written?: Written,
): boolean {
  const callback = typeof encoding === 'function' ? encoding : written;
  if (this.writableEnded || this.destroyed) {
    const error = coded('ERR_STREAM_WRITE_AFTER_END', 'The response has ended.');
    if (callback !== undefined) process.nextTick(callback, error);
    return false;
  }
  if (!this.headersSent) this.writeHead(this.statusCode);
  this[CAPTURE].isShown = true;
  if (!gather(this, chunk, typeof encoding === 'string' ? encoding : 'utf8')) return false;
  if (callback !== undefined) process.nextTick(callback);
  return true;
}

function end(
  this: CapturedResponse,
  chunk?: unknown,
  encoding?: BufferEncoding | Written,
  ended?: Written,
): ServerResponse {
  const callback = [chunk, encoding, ended].find((one) => typeof one === 'function');
  if (callback !== undefined) this.once('finish', () => void Reflect.apply(callback, this, []));
  if (this.writableEnded) return this;
  if (!this.headersSent) this.writeHead(this.statusCode);
  if (chunk !== undefined && chunk !== null && typeof chunk !== 'function') {
    if (!gather(this, chunk, typeof encoding === 'string' ? encoding : 'utf8')) return this;
  }
  this.finished = true;
  const { outcome, chunks, bytes } = this[CAPTURE];
  const [first] = chunks;
  const isBodiless = this.statusCode === 204 || this.statusCode === 304 || first === undefined;
  outcome.answer({
    status: this.statusCode,
    headers: storedHeaders(this.getHeaders()),
    body: isBodiless
      ? new Uint8Array()
      : chunks.length === 1
        ? first
        : Buffer.concat(chunks, bytes),
  });
  process.nextTick(finish, this);
  return this;
}

/** Keeps a chunk; false when the response has become too large. */
function gather(res: CapturedResponse, chunk: unknown, encoding: BufferEncoding): boolean {
  const capture = res[CAPTURE];
  const bytes = typeof chunk === 'string' ? Buffer.from(chunk, encoding) : chunk;
  if (!(bytes instanceof Uint8Array)) {
    const message = `A response takes strings and bytes, received ${chunk === null ? 'null' : typeof chunk}.`;
    throw coded('ERR_INVALID_ARG_TYPE', message);
  }
  capture.bytes += bytes.byteLength;
  if (capture.bytes > capture.maxBytes) {
    capture.outcome.fail(resultTooLarge(capture.bytes, capture.maxBytes));
    capture.chunks.length = 0;
    closeResponse(res);
    return false;
  }
  if (bytes.byteLength === 0) return true;
  capture.chunks.push(bytes);
  // A 5xx is a failed attempt: nothing of it counts.
  if (capture.isShown && res.statusCode < 500) {
    const type = res.getHeader('content-type');
    capture.show(bytes, type === undefined ? undefined : String(type));
  }
  return true;
}

function finish(res: ServerResponse): void {
  res.emit('prefinish');
  res.emit('finish');
  emitClose(res);
  res.req.emit('close');
}

function emitClose(res: ServerResponse): void {
  if (res.closed) return;
  res.destroyed = true;
  Reflect.set(res, '_closed', true);
  res.emit('close');
}

function coded(code: string, message: string): Error {
  return Object.assign(new TypeError(message), { code });
}
