import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';

/** What happens to one connection. */
export interface Fault {
  /** Cuts it after so many bytes of the server's have passed. Default: never. */
  readonly cutAfterBytes?: number;
  /** Counts these bytes from the first one behind the answer's head. */
  readonly behindHead?: boolean;
  /** From then on passes nothing in either direction, and keeps the socket open. */
  readonly freezeAfterBytes?: number;
}

/** A TCP proxy that breaks connections, as told for each one in turn. */
export class FaultProxy {
  /** What the next connections suffer, first come first served; then nothing. */
  readonly faults: Fault[] = [];
  /** Decides for a connection when no fault is left. */
  fallback: (n: number) => Fault = () => ({});
  connectionCount = 0;
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  readonly #targetPort: number;

  private constructor(server: Server, targetPort: number) {
    this.#server = server;
    this.#targetPort = targetPort;
    server.on('connection', (socket) => this.#relay(socket));
  }

  static async start(targetPort: number): Promise<FaultProxy> {
    const server = createServer();
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    return new FaultProxy(server, targetPort);
  }

  get url(): string {
    const address: AddressInfo | string | null = this.#server.address();
    if (address === null || typeof address === 'string') throw new Error('The proxy has no port.');
    return `http://127.0.0.1:${address.port}`;
  }

  /** Cuts what is open. */
  cut(): void {
    for (const socket of this.#sockets) socket.resetAndDestroy();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.close();
    for (const socket of this.#sockets) socket.destroy();
    await once(this.#server, 'close');
  }

  #relay(near: Socket): void {
    this.connectionCount += 1;
    const {
      cutAfterBytes = Infinity,
      freezeAfterBytes = Infinity,
      behindHead,
    } = this.faults.shift() ?? this.fallback(this.connectionCount);
    const far = connect(this.#targetPort, '127.0.0.1');
    let limit = Math.min(cutAfterBytes, freezeAfterBytes);
    let passed = 0;
    let frozen = false;
    const end = (): void => {
      near.destroy();
      far.destroy();
      this.#sockets.delete(near);
    };
    this.#sockets.add(near);
    near.setNoDelay(true);
    near.on('data', (chunk) => {
      if (!frozen) far.write(chunk);
    });
    far.on('data', (chunk: Buffer) => {
      if (frozen) return;
      if (behindHead === true && passed === 0) limit += chunk.indexOf('\r\n\r\n') + 4;
      const part = chunk.subarray(0, limit - passed);
      passed += part.length;
      if (passed < limit) return void near.write(part);
      // The bytes up to the limit must arrive, so the end is a FIN behind them, not a reset.
      if (cutAfterBytes <= freezeAfterBytes) {
        near.end(part);
        far.destroy();
        return;
      }
      near.write(part);
      frozen = true;
    });
    near.on('error', end).on('close', end);
    far.on('error', end).on('close', () => {
      if (!frozen) near.end();
    });
  }
}
