import { Cluster, type Redis } from 'ioredis';
import { vi } from 'vitest';
import { SLOT_COUNT } from '../../src/key-slot.ts';
import { freePort } from './free-port.ts';
import { RedisServer } from './redis-server.ts';

const PATIENCE = { timeout: 30_000, interval: 20 };
const MASTERS = 3;

/** A private Redis Cluster on loopback: three masters with a third of the slots each. */
export class RedisCluster implements AsyncDisposable {
  readonly masters: readonly RedisServer[];
  /** `replicas[i]` is a replica of `masters[i]`, if there are replicas. */
  readonly replicas: readonly RedisServer[];
  readonly #clients = new Map<RedisServer, Redis>();

  private constructor(masters: readonly RedisServer[], replicas: readonly RedisServer[]) {
    this.masters = masters;
    this.replicas = replicas;
  }

  /** Starts three masters, with a replica each or without; resolves when the Cluster is up. */
  static async start({ withReplicas = false } = {}): Promise<RedisCluster> {
    const servers = await Promise.all(
      Array.from({ length: withReplicas ? 2 * MASTERS : MASTERS }, async () =>
        RedisServer.start({
          'cluster-enabled': 'yes',
          'cluster-port': String(await freePort()),
          'cluster-node-timeout': '1000',
          'cluster-require-full-coverage': 'no',
          'cluster-replica-validity-factor': '0',
        }),
      ),
    );
    const cluster = new RedisCluster(servers.slice(0, MASTERS), servers.slice(MASTERS));
    await cluster.#join();
    return cluster;
  }

  /** A client of the Cluster, not connected. It finds the master of a port at `through(port)`. */
  client(through = (port: number): number => port): Cluster {
    const nodes = this.masters.map(({ port }) => ({ host: '127.0.0.1', port: through(port) }));
    const natMap = Object.fromEntries(
      this.masters.map(({ port }, i) => [`127.0.0.1:${port}`, at(nodes, i)]),
    );
    const client = new Cluster(nodes, { lazyConnect: true, natMap });
    client.on('error', () => {});
    return client;
  }

  /** The master that had the slot when the Cluster was started. */
  ownerOf(slot: number): RedisServer {
    return at(this.masters, Math.floor((slot * MASTERS) / SLOT_COUNT));
  }

  /** Moves a slot in small steps, calling `between` after each, as resharding tools do. */
  async moveSlot(slot: number, to: RedisServer, between: () => Promise<void>): Promise<void> {
    const from = this.ownerOf(slot);
    const [fromId, toId] = await Promise.all([this.#id(from), this.#id(to)]);
    await this.admin(to).cluster('SETSLOT', slot, 'IMPORTING', fromId);
    await this.admin(from).cluster('SETSLOT', slot, 'MIGRATING', toId);
    for (;;) {
      const keys = await this.admin(from).cluster('GETKEYSINSLOT', slot, 10);
      if (keys.length === 0) break;
      await this.admin(from).call('MIGRATE', '127.0.0.1', to.port, '', 0, 5_000, 'KEYS', ...keys);
      await between();
    }
    for (const server of [to, from, ...this.masters]) {
      await this.admin(server).cluster('SETSLOT', slot, 'NODE', toId);
    }
  }

  /** A plain client of one server. */
  admin(server: RedisServer): Redis {
    const known = this.#clients.get(server);
    if (known !== undefined) return known;
    const client = server.connect();
    this.#clients.set(server, client);
    return client;
  }

  /** Resolves when `server` calls itself a master with slots. */
  async isMaster(server: RedisServer): Promise<void> {
    await vi.waitFor(async () => {
      const nodes = String(await this.admin(server).cluster('NODES'));
      if (!/myself,master.*connected \d/.test(nodes)) throw new Error('It is no master yet.');
    }, PATIENCE);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const client of this.#clients.values()) client.disconnect();
    const servers = [...this.masters, ...this.replicas];
    await Promise.all(servers.map((server) => server[Symbol.asyncDispose]()));
  }

  async #join(): Promise<void> {
    const servers = [...this.masters, ...this.replicas];
    for (const [i, server] of this.masters.entries()) {
      const first = Math.ceil((i * SLOT_COUNT) / MASTERS);
      const last = Math.ceil(((i + 1) * SLOT_COUNT) / MASTERS) - 1;
      await this.admin(server).cluster('ADDSLOTSRANGE', first, last);
      await this.admin(server).cluster('SET-CONFIG-EPOCH', i + 1);
    }
    const seed = at(this.masters, 0);
    for (const server of servers) {
      if (server === seed) continue;
      await this.admin(server).cluster('MEET', '127.0.0.1', seed.port, seed.clusterPort);
    }
    await this.#agree(servers);
    for (const [i, server] of this.replicas.entries()) {
      await this.admin(server).cluster('REPLICATE', await this.#id(at(this.masters, i)));
    }
    for (const server of this.replicas) {
      await vi.waitFor(async () => {
        const info = await this.admin(server).info('replication');
        if (!info.includes('master_link_status:up')) throw new Error('It does not replicate yet.');
      }, PATIENCE);
    }
    await this.#agree(servers);
  }

  async #agree(servers: readonly RedisServer[]): Promise<void> {
    for (const server of servers) {
      await vi.waitFor(async () => {
        const info = await this.admin(server).cluster('INFO');
        const isComplete = info.includes(`cluster_known_nodes:${servers.length}\r`);
        if (!info.includes('cluster_state:ok') || !isComplete) throw new Error(info);
        if (!info.includes(`cluster_slots_ok:${SLOT_COUNT}\r`)) throw new Error(info);
      }, PATIENCE);
    }
  }

  async #id(server: RedisServer): Promise<string> {
    return this.admin(server).cluster('MYID');
  }
}

function at<Item>(items: readonly Item[], index: number): Item {
  const item = items[index];
  if (item === undefined) throw new Error(`There is no item ${index}.`);
  return item;
}
