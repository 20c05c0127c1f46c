import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import { vi } from 'vitest';
import { freePort } from './free-port.ts';
import { redisBinary } from './redis-binary.ts';
import type { RedisServer } from './redis-server.ts';

const PATIENCE = { timeout: 60_000, interval: 50 };
const NAME = 'main';

/** A Sentinel of its own that watches over a master and makes one of its replicas the next one. */
export class RedisSentinel implements AsyncDisposable {
  readonly #port: number;
  readonly #folder: string;
  readonly #process: ChildProcess;

  private constructor(port: number, folder: string, child: ChildProcess) {
    this.#port = port;
    this.#folder = folder;
    this.#process = child;
  }

  /** Starts one; resolves when it knows the master and a replica of it. */
  static async start(master: RedisServer): Promise<RedisSentinel> {
    const binary = redisBinary();
    if (binary === null) throw new Error('There is no redis-server on the PATH.');
    const folder = mkdtempSync(join(tmpdir(), 'durable-sentinel-'));
    const file = join(folder, 'sentinel.conf');
    const port = await freePort();
    writeFileSync(
      file,
      `port ${port}\nbind 127.0.0.1\ndir ${folder}\n` +
        `sentinel monitor ${NAME} 127.0.0.1 ${master.port} 1\n` +
        `sentinel down-after-milliseconds ${NAME} 1000\nsentinel failover-timeout ${NAME} 10000\n`,
    );
    const child = spawn(binary, [file, '--sentinel'], { stdio: 'ignore' });
    const sentinel = new RedisSentinel(port, folder, child);
    await vi.waitFor(async () => {
      const client = new Redis(port, '127.0.0.1', { retryStrategy: () => null });
      client.on('error', () => {});
      try {
        const replicas = await client.call('SENTINEL', 'REPLICAS', NAME);
        if (!Array.isArray(replicas) || replicas.length === 0) throw new Error('No replica yet.');
      } finally {
        client.disconnect();
      }
    }, PATIENCE);
    return sentinel;
  }

  /** A client, not connected, that finds the master by this Sentinel. */
  client(): Redis {
    const client = new Redis({
      sentinels: [{ host: '127.0.0.1', port: this.#port }],
      name: NAME,
      lazyConnect: true,
    });
    client.on('error', () => {});
    return client;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#process.exitCode === null) {
      const gone = once(this.#process, 'exit');
      this.#process.kill('SIGKILL');
      await gone;
    }
    rmSync(this.#folder, { recursive: true, force: true });
  }
}
