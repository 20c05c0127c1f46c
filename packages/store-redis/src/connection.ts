import { createHash } from 'node:crypto';
import type { Socket } from 'node:net';
import { DurableError } from '@durable-api/core';
import type { Redis } from 'ioredis';
import { clusterOf, isCluster, ownClient, type Client } from './own-client.ts';
import { storeError } from './redis-error.ts';

/** What a script is given; its keys come apart. */
export type ScriptArgument = string | Buffer;

/** How long a call that was given up stands for a server that hangs at most, in ms. */
const OVERDUE_MS = 10_000;

/** What a connection needs and tells. */
export interface ConnectionSetup {
  /** Whose options are used. */
  readonly client: Client;
  readonly timeoutMs: number;
  /** Called when the servers behind the connection may not be those of before. */
  readonly onChange: () => void;
}

/**
 * The store's way to Redis: bounds every call in time, makes `DurableError`s of its failures, and
 * sends a script's text only to who does not have it. Connects again by itself.
 */
export class Connection {
  readonly #setup: ConnectionSetup;
  readonly #digests = new Map<string, string>();
  readonly #pending = new Set<Promise<unknown>>();
  #client: Client;
  #opening: Promise<void> | null = null;
  #isClosed = false;
  #connectionError: unknown;
  /** When calls that were given up had been sent, by where to; they are not settled yet. */
  readonly #overdue = new Map<string, number>();

  constructor(setup: ConnectionSetup) {
    this.#setup = setup;
    this.#client = this.#listenTo(ownClient(setup.client));
  }

  /** The client that calls go to; another one after `open` found out that it is a Cluster's. */
  get client(): Client {
    return this.#client;
  }

  /** The server, or the masters of the Cluster. */
  get servers(): readonly Redis[] {
    return isCluster(this.#client) ? this.#client.nodes('master') : [this.#client];
  }

  /** Connects. @throws DurableError `store_unavailable`; the next call tries again. */
  open(): Promise<void> {
    this.#opening ??= this.#open().catch((error: unknown) => {
      this.#opening = null;
      throw storeError(error, this.#connectionError);
    });
    return this.#opening;
  }

  /**
   * Calls Redis. `place` stands for the servers that are asked, such as a shard's tag: while one has
   * not answered a call that was given up, further calls of this place fail at once, so that a part of
   * the servers that hangs does not hold up what concerns the others.
   * @throws DurableError when it fails or takes too long; then the outcome is unknown.
   */
  async call<Result>(place: string, send: (client: Client) => Promise<Result>): Promise<Result> {
    if (this.#isClosed) throw new DurableError('stopping', 'The Redis store has been closed.');
    if (this.#client.status !== 'ready') {
      throw storeError(new Error('connect has not succeeded.'), this.#connectionError);
    }
    if (this.#isOverdue(place)) throw unavailable('Redis has not answered an earlier call yet.');
    const sent = send(this.#client);
    this.#pending.add(sent);
    try {
      return await this.#inTime(sent, () => this.#giveUp(place, sent));
    } catch (error) {
      throw storeError(error, this.#connectionError);
    } finally {
      this.#pending.delete(sent);
    }
  }

  /**
   * Has all that `start` sends written to each socket in one piece. Redis would else begin with the
   * first part, and fsync for it alone, before the second has arrived.
   */
  together<Result>(start: () => Result): Result {
    // One that has not been connected yet has no socket, whatever its type says.
    const sockets: readonly (Socket | undefined)[] = this.servers.map(({ stream }) => stream);
    for (const socket of sockets) socket?.cork();
    try {
      return start();
    } finally {
      for (const socket of sockets) socket?.uncork();
    }
  }

  /** Runs a script; the names of all keys that it writes are given. */
  script(
    place: string,
    script: string,
    keys: readonly string[],
    args: readonly ScriptArgument[],
  ): Promise<unknown> {
    return this.call(place, async (client) => {
      try {
        return await client.evalsha(this.#digest(script), keys.length, ...keys, ...args);
      } catch (error) {
        if (!(error instanceof Error) || !error.message.startsWith('NOSCRIPT')) throw error;
        return await client.eval(script, keys.length, ...keys, ...args);
      }
    });
  }

  /**
   * Waits until `count` replicas of the node with `key` have all that was written over this
   * connection. @throws DurableError `store_unavailable` when fewer have it in time.
   */
  async replicate(place: string, key: string, count: number): Promise<void> {
    const waitMs = Math.ceil(this.#setup.timeoutMs / 2);
    const confirmed = await this.call(place, async (client) => {
      if (!isCluster(client)) return client.wait(count, waitMs);
      // WAIT names no key: the read before it leads both to the node of the writes.
      const replies = await client.pipeline().exists(key).wait(count, waitMs).exec();
      const [error, number] = replies?.[1] ?? [new Error('Redis left out a reply.'), 0];
      if (error !== null) throw error;
      return Number(number);
    });
    if (confirmed >= count) return;
    throw unavailable(
      `Only ${confirmed} of the required ${count} Redis replicas have confirmed the write.`,
    );
  }

  /** Waits for the calls under way and disconnects. */
  async close(): Promise<void> {
    this.#isClosed = true;
    await Promise.allSettled(this.#pending);
    this.#client.disconnect();
  }

  async #open(): Promise<void> {
    await this.#connect();
    const client = this.#client;
    if (isCluster(client)) return;
    const info = await this.#inTime(client.info('cluster'));
    if (!/^cluster_enabled:1/m.test(info)) return;
    client.disconnect();
    this.#client = this.#listenTo(clusterOf(client));
    await this.#connect();
  }

  async #connect(): Promise<void> {
    const client = this.#client;
    if (client.status === 'ready') return;
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    client.once('ready', resolve);
    // Otherwise it is connecting already, since the last time was too short.
    if (client.status === 'wait' || client.status === 'end') client.connect().catch(reject);
    try {
      await this.#inTime(promise);
    } finally {
      client.off('ready', resolve);
    }
  }

  #listenTo(client: Client): Client {
    client.on('error', (error: unknown) => (this.#connectionError = error));
    client.on('node error', (error: unknown) => (this.#connectionError = error));
    client.on('ready', () => (this.#connectionError = undefined));
    for (const event of ['close', '+node']) client.on(event, () => this.#setup.onChange());
    return client;
  }

  #isOverdue(place: string): boolean {
    const sentAt = this.#overdue.get(place);
    return sentAt !== undefined && performance.now() - sentAt < OVERDUE_MS;
  }

  #giveUp(place: string, sent: Promise<unknown>): void {
    const sentAt = performance.now();
    this.#overdue.set(place, sentAt);
    const settle = (): void => {
      if (this.#overdue.get(place) === sentAt) this.#overdue.delete(place);
    };
    sent.then(settle, settle);
  }

  #digest(script: string): string {
    const known = this.#digests.get(script);
    if (known !== undefined) return known;
    const digest = createHash('sha1').update(script).digest('hex');
    this.#digests.set(script, digest);
    return digest;
  }

  async #inTime<Result>(sent: Promise<Result>, giveUp = (): void => {}): Promise<Result> {
    const { timeoutMs } = this.#setup;
    const { promise, reject } = Promise.withResolvers<never>();
    const timer = setTimeout(() => {
      giveUp();
      reject(unavailable(`Redis did not answer within ${timeoutMs} ms.`, this.#connectionError));
    }, timeoutMs);
    try {
      return await Promise.race([sent, promise]);
    } finally {
      clearTimeout(timer);
    }
  }
}

function unavailable(message: string, cause?: unknown): DurableError {
  return new DurableError('store_unavailable', message, { cause, retryAfterSeconds: 1 });
}
