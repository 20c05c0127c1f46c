import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { Redis } from 'ioredis';
import { freePort } from './free-port.ts';
import { redisBinary } from './redis-binary.ts';

/** The configuration that is safe, for power loss too. */
const SAFE: ServerConfig = {
  appendonly: 'yes',
  appendfsync: 'always',
  'maxmemory-policy': 'noeviction',
  save: '',
  'repl-diskless-sync-delay': '0',
};

/** Directives of redis.conf; those with several words are lists. */
export type ServerConfig = Readonly<Record<string, string | readonly string[]>>;

/** A private Redis server in a temporary folder. */
export class RedisServer implements AsyncDisposable {
  readonly port: number;
  readonly #folder: string;
  readonly #config: ServerConfig;
  #process: ChildProcess | null = null;

  private constructor(port: number, folder: string, config: ServerConfig) {
    this.port = port;
    this.#folder = folder;
    this.#config = config;
  }

  /** Starts a server; `config` goes over the safe configuration. */
  static async start(config: ServerConfig = {}): Promise<RedisServer> {
    const folder = mkdtempSync(join(tmpdir(), 'durable-redis-'));
    const all = { ...SAFE, ...config };
    const server = new RedisServer(await freePort(), folder, all);
    await server.restart();
    return server;
  }

  get url(): string {
    return `redis://127.0.0.1:${this.port}`;
  }

  /** The port of the cluster bus. */
  get clusterPort(): number {
    return Number(this.#config['cluster-port']);
  }

  /** Starts the server again on the same data; resolves when it answers. */
  async restart(): Promise<void> {
    const binary = redisBinary();
    if (binary === null) throw new Error('There is no redis-server on the PATH.');
    const config = Object.entries(this.#config).flatMap(([name, value]) =>
      [`--${name}`, value].flat(),
    );
    const fixed = ['--port', String(this.port), '--bind', '127.0.0.1', '--dir', this.#folder];
    this.#process = spawn(binary, [...fixed, ...config], { stdio: 'ignore' });
    const client = this.connect();
    await untilAnswered(client);
    client.disconnect();
  }

  /** A plain client of this server, which fails at once while there is no connection. */
  connect(): Redis {
    const { requirepass: password } = this.#config;
    const client = new Redis(this.port, '127.0.0.1', {
      maxRetriesPerRequest: 0,
      retryStrategy: () => 20,
      ...(typeof password === 'string' && { password }),
    });
    client.on('error', () => {});
    return client;
  }

  /** Sends a signal; resolves at once. */
  signal(signal: NodeJS.Signals): void {
    this.#process?.kill(signal);
  }

  /** Removes the folder of the data under the feet of the server. */
  removeFolder(): void {
    // A child that was saving outlives a killed server, and may write a file more.
    rmSync(this.#folder, { recursive: true, force: true, maxRetries: 50, retryDelay: 20 });
  }

  /** Kills the server as a crash does, and waits until it is gone. */
  async kill(): Promise<void> {
    const server = this.#process;
    if (server === null) return;
    this.#process = null;
    const gone = once(server, 'exit');
    server.kill('SIGKILL');
    await gone;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.kill();
    this.removeFolder();
  }
}

async function untilAnswered(client: Redis): Promise<void> {
  const giveUpAt = performance.now() + 20_000;
  for (;;) {
    try {
      await client.ping();
      return;
    } catch (error) {
      if (performance.now() > giveUpAt) throw error;
    }
    await delay(10);
  }
}
