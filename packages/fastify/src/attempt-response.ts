import { ServerResponse, type OutgoingHttpHeaders } from 'node:http';
import {
  EXCHANGE_HEADERS,
  HandlerFault,
  putOut,
  resultTooLarge,
  type AttemptContext,
  type StoredResponse,
} from '@durable-api/core';
import type { AttemptRequest } from './attempt-request.ts';

type Done = (error?: Error | null) => void;

/** The raw response of an attempt: keeps what is written instead of sending it. */
export class AttemptResponse extends ServerResponse<AttemptRequest> {
  readonly #chunks: Buffer[] = [];
  readonly #maxBytes: number;
  readonly #context: AttemptContext;
  /**
   * What was written before it is known that more will follow: Fastify writes a whole answer and ends it at
   * once. Null once a part was shown to observers: then all of it is.
   */
  #held: Buffer[] | null = [];
  readonly #ended = Promise.withResolvers<StoredResponse>();
  #byteCount = 0;

  constructor(request: AttemptRequest, maxBytes: number) {
    super(request);
    this.#maxBytes = maxBytes;
    this.#context = request.context;
    // Whether somebody waits for it is up to the attempt, which may have ended before.
    this.#ended.promise.catch(() => {});
  }

  /** The whole response, once it has ended. Rejects when it breaks off or grows too large. */
  get whole(): Promise<StoredResponse> {
    return this.#ended.promise;
  }

  override writeHead(status: number, ...rest: readonly unknown[]): this {
    const headers = rest.find((one) => typeof one === 'object' && one !== null);
    for (const [name, value] of headerEntries(headers)) this.setHeader(name, value);
    if (this.hasHeader('set-cookie')) this.destroy(refusedCookie());
    return super.writeHead(status);
  }

  override write(chunk: unknown, ...rest: readonly unknown[]): boolean {
    if (!this.headersSent) this.writeHead(this.statusCode);
    this.#keep(chunk, rest);
    this.#showSoon();
    const done = rest.find(isDone);
    if (done !== undefined) process.nextTick(done);
    // A source without an end must not be asked for more, or nothing else gets a turn.
    return !this.destroyed;
  }

  override end(...given: readonly unknown[]): this {
    if (this.writableEnded) return this;
    const [chunk, ...rest] = given;
    if (!this.headersSent) this.writeHead(this.statusCode);
    if (chunk !== undefined && chunk !== null && !isDone(chunk)) this.#keep(chunk, rest);
    // What `writableEnded` reads; the method of the class above would wait for a socket.
    this.finished = true;
    this.#ended.resolve({
      status: this.statusCode,
      headers: storedHeaders(this.getHeaders()),
      body: this.#chunks.length === 1 ? (this.#chunks[0] ?? EMPTY) : Buffer.concat(this.#chunks),
    });
    const done = given.find(isDone);
    process.nextTick(() => {
      this.emit('finish');
      this.emit('close');
      done?.();
    });
    return this;
  }

  override destroy(error?: Error): this {
    if (this.destroyed) return this;
    super.destroy();
    this.#ended.reject(error ?? new Error('The response of the handler broke off.'));
    process.nextTick(() => this.emit('close'));
    return this;
  }

  /** The attempt has failed with `error`, whatever is written from now on. */
  giveUp(error: unknown): void {
    this.#ended.reject(error);
  }

  #keep(chunk: unknown, rest: readonly unknown[]): void {
    if (typeof chunk !== 'string' && !(chunk instanceof Uint8Array)) {
      throw new TypeError('A response takes strings and bytes.');
    }
    const encoding = rest.find((one) => typeof one === 'string');
    const bytes =
      typeof chunk === 'string'
        ? Buffer.from(chunk, isEncoding(encoding) ? encoding : 'utf8')
        : Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength);
    this.#byteCount += bytes.byteLength;
    if (this.#byteCount > this.#maxBytes) {
      this.#chunks.length = 0;
      this.destroy(resultTooLarge(this.#byteCount, this.#maxBytes));
      return;
    }
    this.#chunks.push(bytes);
    if (this.#held === null) this.#show(bytes);
    else this.#held.push(bytes);
  }

  #showSoon(): void {
    if (this.#held?.length !== 1) return;
    setImmediate(() => {
      const held = this.#held ?? [];
      if (this.finished) return;
      this.#held = null;
      for (const bytes of held) this.#show(bytes);
    });
  }

  #show(bytes: Buffer): void {
    // A 5xx is a failed attempt: nothing of it counts.
    if (this.statusCode >= 500 || bytes.length === 0) return;
    const type = this.getHeader('content-type');
    void putOut(this.#context, bytes, type === undefined ? undefined : String(type));
  }
}

const EMPTY = Buffer.alloc(0);

function refusedCookie(): HandlerFault {
  return new HandlerFault(
    'response_refused',
    'The handler set a cookie, but its response is stored and served later, to whoever asks for the ' +
      'result. Set cookies in a hook before the handler, or answer with the value.',
  );
}

function storedHeaders(headers: OutgoingHttpHeaders): Record<string, string> {
  const stored: Record<string, string> = {};
  for (const [name, value] of Object.entries(headers)) {
    if (value === undefined || EXCHANGE_HEADERS.has(name)) continue;
    stored[name] = Array.isArray(value) ? value.join(', ') : String(value);
  }
  return stored;
}

function headerEntries(headers: unknown): readonly [string, string | string[]][] {
  if (headers === undefined || headers === null) return [];
  if (!Array.isArray(headers)) return Object.entries(headers);
  const entries: [string, string | string[]][] = [];
  for (let i = 0; i + 1 < headers.length; i += 2) entries.push([headers[i], headers[i + 1]]);
  return entries;
}

function isDone(value: unknown): value is Done {
  return typeof value === 'function';
}

function isEncoding(value: unknown): value is BufferEncoding {
  return typeof value === 'string' && Buffer.isEncoding(value);
}
