import { once } from 'node:events';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { freePort } from './free-port.ts';

/** A TCP proxy before a server that can swallow what the server answers, and cut connections. */
export class CutProxy implements AsyncDisposable {
  readonly port: number;
  /** While true, answers do not get through. */
  isSwallowing = false;
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  readonly #mute = new Set<Socket>();

  private constructor(port: number, target: number) {
    this.port = port;
    this.#server = createServer((client) => {
      const upstream = connect(target, '127.0.0.1');
      for (const socket of [client, upstream]) {
        this.#sockets.add(socket);
        socket.on('error', () => {});
        socket.on('close', () => {
          this.#sockets.delete(socket);
          this.#mute.delete(socket);
          client.destroy();
          upstream.destroy();
        });
      }
      client.pipe(upstream);
      upstream.on('data', (data) => {
        if (!this.isSwallowing && !this.#mute.has(client)) client.write(data);
      });
    });
  }

  static async start(target: number): Promise<CutProxy> {
    const proxy = new CutProxy(await freePort(), target);
    proxy.#server.listen(proxy.port, '127.0.0.1');
    await once(proxy.#server, 'listening');
    return proxy;
  }

  get url(): string {
    return `redis://127.0.0.1:${this.port}`;
  }

  /** Lets nothing more through to who is connected now, as when a firewall has forgotten a connection. */
  mute(): void {
    for (const socket of this.#sockets) this.#mute.add(socket);
  }

  /** Resets all connections. */
  cut(): void {
    for (const socket of this.#sockets) socket.resetAndDestroy();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.cut();
    this.#server.close();
    await once(this.#server, 'close');
  }
}
