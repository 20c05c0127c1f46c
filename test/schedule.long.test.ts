import type { Store } from '@durable-api/core';
import { storeFromUrl } from '@durable-api/example-reports';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openCrashStore, type CrashStore } from './crash/crash-store.ts';
import { ServerInProcess } from './server-in-process.ts';

describe.concurrent.each(['sqlite', 'postgres', 'redis'] as const)(
  'a schedule of several processes on %s',
  { timeout: 240_000 },
  (kind) => {
    let store: CrashStore;
    let reader: Store;
    beforeAll(async () => {
      const opened = await openCrashStore(kind);
      if (opened === null) throw new Error(`There is no ${kind} server on this machine.`);
      store = opened;
      reader = storeFromUrl(store.url);
      await reader.migrate();
    }, 240_000);
    afterAll(async () => {
      await reader.close();
      await store[Symbol.asyncDispose]();
    });

    /** The seconds for which there are intents, as often as there are, in order. */
    const ticks = async (): Promise<number[]> => {
      const records = await reader.list({ operation: 'tick', limit: 1_000 });
      const of = records.map(({ id }) => ({ id, after: 0 }));
      const logs = await reader.events({ of, limit: 1 });
      return logs
        .map(([created]) => JSON.parse(created?.json ?? '{}').details?.scheduled_for)
        .map((at) => Date.parse(String(at)) / 1_000)
        .sort((a, b) => a - b);
    };
    const count = async (least: number): Promise<void> =>
      expect.poll(async () => (await ticks()).length).toBeGreaterThanOrEqual(least);

    it('starts one intent each second, though two of them are killed', async () => {
      const start = (): Promise<ServerInProcess> =>
        ServerInProcess.start({ script: 'test/schedule/server.ts', store: store.url });
      const servers = [await start(), await start(), await start()];
      try {
        await count(2);
        await servers[0]?.kill();
        await count(5);
        await servers[0]?.restart();
        await servers[1]?.kill();
        await count(9);
      } finally {
        for (const server of servers) await server.kill();
      }
      const found = await ticks();
      const [first = NaN] = found;
      expect(found).toEqual(Array.from({ length: found.length }, (_, i) => first + i));
    });
  },
);
