import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';

/** A TCP proxy in front of Postgres that fails as it is told to. */
export class Proxy {
  /** The database's URL through the proxy. */
  readonly url: string;
  /** Keeps back what the server says, as if the network had swallowed it. */
  isSilent = false;
  /** Lets LISTEN succeed and deliver nothing, as PgBouncer does in transaction mode. */
  isDeaf = false;
  /** What clients have sent so far: one entry per statement, as long as statements are short. */
  readonly asked: string[] = [];
  /** How many answers were lost on demand. */
  lostCount = 0;
  /** Where new connections lead. */
  target: URL;
  #losing: string | null = null;
  readonly #server: Server;
  readonly #pairs = new Set<readonly [Socket, Socket]>();

  private constructor(server: Server, url: string, target: URL) {
    this.#server = server;
    this.url = url;
    this.target = target;
  }

  /** Starts a proxy to the database at `url`. */
  static async start(url: string): Promise<Proxy> {
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const through = new URL(url);
    through.hostname = '127.0.0.1';
    through.port = String(portOf(server));
    const proxy = new Proxy(server, through.href, new URL(url));
    server.on('connection', (client) => {
      const { port, hostname } = proxy.target;
      proxy.#join(client, connect(Number(port || 5432), hostname));
    });
    return proxy;
  }

  /** How many connections go through right now. */
  get connectionCount(): number {
    return this.#pairs.size;
  }

  /**
   * Cuts the connection in place of the answer to the next statement that has `words` in it: what was
   * asked is done, and nobody knows.
   */
  loseAnswerTo(words: string): void {
    this.#losing = words;
  }

  /** Cuts all connections. */
  cut(): void {
    for (const pair of this.#pairs) for (const socket of pair) socket.destroy();
  }

  async stop(): Promise<void> {
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()));
    this.cut();
    await closed;
  }

  #join(client: Socket, server: Socket): void {
    const pair = [client, server] as const;
    let isLosing = false;
    this.#pairs.add(pair);
    for (const socket of pair) {
      socket.setNoDelay(true);
      socket.on('error', () => {});
      socket.on('close', () => {
        this.#pairs.delete(pair);
        for (const one of pair) one.destroy();
      });
    }
    client.on('data', (chunk) => {
      this.asked.push(chunk.toString('latin1'));
      if (this.#losing !== null && chunk.includes(this.#losing)) {
        this.#losing = null;
        isLosing = true;
      }
      server.write(this.isDeaf ? deafened(chunk) : chunk);
    });
    server.on('data', (chunk) => {
      if (isLosing) {
        this.lostCount += 1;
        client.destroy();
      } else if (!this.isSilent) client.write(chunk);
    });
  }
}

function portOf(server: Server): number {
  const address: AddressInfo | string | null = server.address();
  if (address === null || typeof address === 'string') throw new Error('The proxy has no port.');
  return address.port;
}

/** The same bytes, but LISTEN goes to another channel. */
function deafened(chunk: Buffer): Buffer {
  return Buffer.from(chunk.toString('latin1').replaceAll('LISTEN "d', 'LISTEN "x'), 'latin1');
}
