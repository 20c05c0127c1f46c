import { EventEmitter } from 'node:events';

/**
 * The `socket` of a request and response that no client is connected to. It has what Express, Node and
 * middleware ask of a socket, and tells who destroys it.
 */
export class DetachedSocket extends EventEmitter {
  readable = true;
  writable = true;
  destroyed = false;
  readonly encrypted: boolean;
  readonly remoteAddress: undefined = undefined;
  readonly remotePort: undefined = undefined;
  readonly readableHighWaterMark: number = 16_384;
  readonly writableHighWaterMark: number = 16_384;
  readonly writableLength: number = 0;
  /** Called once, by the first `destroy`. */
  onDestroy: ((error: Error | undefined) => void) | null = null;

  constructor(encrypted: boolean) {
    super();
    this.encrypted = encrypted;
  }

  destroy(error?: Error): this {
    if (this.destroyed) return this;
    this.destroyed = true;
    this.readable = false;
    this.writable = false;
    this.onDestroy?.(error);
    process.nextTick(() => this.emit('close', error !== undefined));
    return this;
  }

  write(): never {
    throw noClient();
  }

  end(): never {
    throw noClient();
  }

  address(): object {
    return {};
  }

  setTimeout(): this {
    return this;
  }

  setNoDelay(): this {
    return this;
  }

  setKeepAlive(): this {
    return this;
  }

  ref(): this {
    return this;
  }

  unref(): this {
    return this;
  }

  cork(): void {}

  uncork(): void {}

  pause(): this {
    return this;
  }

  resume(): this {
    return this;
  }
}

function noClient(): Error {
  return new Error(
    'An attempt has no connection to a client: use the methods of res, not those of its socket.',
  );
}
