import { randomUUID } from 'node:crypto';
import type { Store } from '@durable-api/core';
import { redisStore } from '@durable-api/store-redis';
import { expect, it, vi } from 'vitest';
import { slotOf } from '../src/key-slot.ts';
import { layOutShards, shardIndex } from '../src/shard-keys.ts';
import { CutProxy } from './support/cut-proxy.ts';
import { describeWithServer } from './support/describe-with-server.ts';
import { newId, seqsOf, submitRequest } from './support/intents.ts';
import { Load } from './support/load.ts';
import { RedisCluster } from './support/redis-cluster.ts';

const SHARDS = 16;
const PATIENCE = { timeout: 30_000, interval: 20 };

async function open(cluster: RedisCluster, prefix: string, requireReplicas = 0): Promise<Store> {
  const store = redisStore({ client: cluster.client(), prefix, requireReplicas });
  await store.migrate();
  return store;
}

/** The slot of a shard of the data set. */
function slotOfShard(prefix: string, index: number): number {
  const key = layOutShards(prefix, SHARDS)[index]?.ids ?? '';
  return slotOf(/\{(.*?)\}/.exec(key)?.[1] ?? '');
}

/** An id of an intent of this shard. */
function idOfShard(index: number): string {
  for (;;) {
    const id = newId();
    if (shardIndex(id, SHARDS) === index) return id;
  }
}

/** Has `writer` submit to a shard until `watcher` has been told of it by name. */
async function hintsOf(writer: Store, watcher: Store, index: number): Promise<void> {
  const told = new Set<string>();
  const end = watcher.watch(({ ids }) => ids?.forEach((id) => told.add(id)));
  await vi.waitFor(async () => {
    const request = submitRequest({ id: idOfShard(index) });
    await writer.submit([request]);
    await vi.waitFor(() => expect(told).toContain(request.record.id), { timeout: 500 });
  }, PATIENCE);
  end();
}

describeWithServer('on a Cluster', () => {
  it('a store is opened by the URL of any node', async () => {
    await using cluster = await RedisCluster.start();
    const prefix = randomUUID();
    for (const { url } of cluster.masters) {
      const store = redisStore({ url, prefix });
      await store.migrate();
      const requests = Array.from({ length: 64 }, () => submitRequest({ key: randomUUID() }));
      const results = await store.submit(requests);
      expect(results).toEqual(requests.map(() => ({ outcome: 'created' })));
      await store.close();
    }
    const counts = await Promise.all(
      cluster.masters.map((server) => cluster.admin(server).dbsize()),
    );
    expect(Math.min(...counts)).toBeGreaterThan(20);
  });

  it(
    'the moving of slots loses nothing and doubles nothing, and shards that stay go on',
    { timeout: 120_000 },
    async () => {
      await using cluster = await RedisCluster.start();
      const prefix = randomUUID();
      const store = await open(cluster, prefix);
      const load = new Load(store);
      await load.more(1_000);
      for (const index of [0, 5, 11]) {
        const slot = slotOfShard(prefix, index);
        const from = cluster.masters.indexOf(cluster.ownerOf(slot));
        const to = cluster.masters[(from + 1) % 3];
        if (to === undefined) throw new Error('There is nowhere to move to.');
        let steps = 0;
        await cluster.moveSlot(slot, to, async () => {
          steps += 1;
          if (steps % 10 === 0) await load.more(10);
        });
        expect(steps).toBeGreaterThan(5);
        const other = await open(cluster, prefix);
        await hintsOf(other, store, index);
        await other.close();
      }
      await load.more(1_000);
      await load.stop();
      await load.verify(store);
      await store.close();
    },
  );

  it(
    'wake-ups of connections that are dead without a word come again',
    { timeout: 120_000 },
    async () => {
      vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] });
      await using cluster = await RedisCluster.start();
      await using stack = new AsyncDisposableStack();
      const proxies: CutProxy[] = [];
      for (const { port } of cluster.masters) proxies.push(stack.use(await CutProxy.start(port)));
      const prefix = randomUUID();
      const client = cluster.client((port) => {
        return proxies[cluster.masters.findIndex((master) => master.port === port)]?.port ?? port;
      });
      const store = redisStore({ client, prefix });
      await store.migrate();
      const other = await open(cluster, prefix);
      const end = store.watch(() => {});
      for (const index of [0, 5, 11]) await hintsOf(other, store, index);
      for (const proxy of proxies) proxy.mute();
      await vi.advanceTimersByTimeAsync(15_000);
      for (const index of [0, 5, 11]) await hintsOf(other, store, index);
      end();
      await store.close();
      await other.close();
      vi.useRealTimers();
    },
  );

  it(
    'the death of a master stops its shards alone, and its return is all they need',
    { timeout: 120_000 },
    async () => {
      await using cluster = await RedisCluster.start();
      const prefix = randomUUID();
      const store = await open(cluster, prefix);
      const load = new Load(store);
      await load.more(1_000);
      const [dying] = cluster.masters;
      if (dying === undefined) throw new Error('There is no master.');
      const isDead = (index: number): boolean =>
        cluster.ownerOf(slotOfShard(prefix, index)) === dying;
      await dying.kill();
      await load.more(500);
      const requests = Array.from({ length: SHARDS }, (_, index) =>
        submitRequest({ id: idOfShard(index) }),
      );
      const results = await store.submit(requests);
      for (const [index, result] of results.entries()) {
        if (!isDead(index)) expect(result).toEqual({ outcome: 'created' });
        else {
          expect(result).toMatchObject({ outcome: 'failed', error: { code: 'store_unavailable' } });
        }
      }
      expect(load.failureCount).toBeGreaterThan(0);
      await dying.restart();
      await vi.waitFor(async () => {
        const again = await store.submit(requests);
        for (const [i, result] of again.entries()) {
          if (isDead(i)) expect(['created', 'exists']).toContain(result.outcome);
          else expect(result.outcome).toBe('exists');
        }
      }, PATIENCE);
      const other = await open(cluster, prefix);
      await hintsOf(other, store, 0);
      await other.close();
      await load.stop();
      await load.verify(store);
      await store.close();
    },
  );

  it(
    'a failover keeps what was replicated, and the store goes on with the new master',
    { timeout: 120_000 },
    async () => {
      await using cluster = await RedisCluster.start({ withReplicas: true });
      const prefix = randomUUID();
      const store = await open(cluster, prefix, 1);
      const load = new Load(store);
      await load.more(500);
      const [dying] = cluster.masters;
      const [heir] = cluster.replicas;
      if (dying === undefined || heir === undefined) throw new Error('There is no master.');
      await dying.kill();
      await cluster.isMaster(heir);
      await load.stop();
      const ids = [...load.acknowledged.keys()];
      await vi.waitFor(async () => {
        const found = await store.get({ ids });
        expect(found.filter((each) => each === undefined)).toEqual([]);
      }, PATIENCE);
      for (const id of ids) {
        const seqs = await seqsOf(store, id);
        expect(seqs.length).toBeGreaterThanOrEqual(load.acknowledged.get(id) ?? 0);
      }
      await store.close();
      const relaxed = await open(cluster, prefix);
      const others = await open(cluster, prefix);
      for (let index = 0; index < SHARDS; index += 5) await hintsOf(others, relaxed, index);
      await others.close();
      await relaxed.close();
    },
  );
});
