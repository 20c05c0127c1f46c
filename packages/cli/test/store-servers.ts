import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  findTestDatabase,
  type TestDatabase,
} from '../../store-postgres/test/support/test-database.ts';
import { redisBinary } from '../../store-redis/test/support/redis-binary.ts';
import { RedisServer } from '../../store-redis/test/support/redis-server.ts';

/** The kinds of stores that the program can open. */
export const STORE_KINDS = ['sqlite', 'postgres', 'redis'] as const;
export type StoreKind = (typeof STORE_KINDS)[number];

/** Empty stores for tests, on real servers; null where this machine has no such server. */
export class StoreServers {
  readonly #cleanUps: (() => Promise<unknown>)[] = [];
  #folder = '';
  #database: TestDatabase | null = null;
  #redis: RedisServer | null = null;
  #count = 0;

  async start(): Promise<void> {
    this.#folder = await mkdtemp(join(tmpdir(), 'durable-cli-'));
    this.#database = await findTestDatabase();
    if (redisBinary() !== null) this.#redis = await RedisServer.start();
    else if (process.env['CI'] !== undefined) throw new Error('These tests need redis-server.');
  }

  /** The URL of an empty store. */
  url(kind: StoreKind): string | null {
    this.#count += 1;
    if (kind === 'sqlite') return `sqlite:${join(this.#folder, `${this.#count}.db`)}`;
    if (kind === 'redis') {
      return this.#redis === null ? null : `${this.#redis.url}/0?prefix=cli${this.#count}`;
    }
    if (this.#database === null) return null;
    const schema = this.#database.schema();
    this.#cleanUps.push(() => schema.drop());
    return `${this.#database.url}?schema=${schema.name}`;
  }

  async stop(): Promise<void> {
    for (const cleanUp of this.#cleanUps) await cleanUp();
    await this.#database?.end();
    await this.#redis?.[Symbol.asyncDispose]();
    await rm(this.#folder, { recursive: true, force: true });
  }
}
