import { DurableClient, type Operation } from '@durable-api/client';
import type { Status } from '@durable-api/protocol';
import { storeFromUrl } from '@durable-api/example-reports';
import { describe, expect, it } from 'vitest';
import { at, useCrashStore } from './crash/use-crash-store.ts';
import { ServerInProcess } from './server-in-process.ts';

describe.each(['sqlite', 'postgres', 'redis'] as const)(
  'children of several processes on %s',
  { timeout: 600_000 },
  (kind) => {
    const storeUrl = useCrashStore(kind);

    const start = (): Promise<ServerInProcess> =>
      ServerInProcess.start({ script: 'test/family/server.ts', store: storeUrl() });
    const started = async (operation: Operation, count: number): Promise<string[]> => {
      const ids: string[] = [];
      for await (const { event_type: type, details } of operation.observe()) {
        if (type === 'intent.child_started') ids.push(String(details?.['intent_id']));
        if (ids.length === count) break;
      }
      return ids;
    };
    const statuses = async (ids: readonly string[]): Promise<Set<Status | undefined>> => {
      const reader = storeFromUrl(storeUrl());
      await reader.migrate();
      const found = await reader.get({ ids });
      await reader.close();
      return new Set(found.map((one) => one?.record.status));
    };

    it('a thousand are each started once and add up, though two processes are killed', async () => {
      await using first = await start();
      await using second = await start();
      await using third = await start();
      const fan = await new DurableClient(first.origin).submit('/fan', { count: 1_000, ms: 5 });
      const seen = at(third, fan);
      await started(seen, 400);
      await first.kill();
      await first.restart();
      await started(seen, 900);
      await second.kill();
      expect(await seen.result()).toEqual({ sum: 499_500 });
      const ids = await started(seen, Infinity);
      expect(new Set(ids).size).toBe(1_000);
      expect(ids).toHaveLength(1_000);
      expect(await statuses(ids)).toEqual(new Set(['COMPLETED']));
    });

    it('are canceled with their parent, though who was asked to is killed', async () => {
      await using first = await start();
      await using second = await start();
      const fan = await new DurableClient(first.origin).submit('/fan', { count: 200, ms: null });
      const ids = await started(fan, 200);
      await expect.poll(async () => statuses(ids)).toEqual(new Set(['WAITING']));
      await expect.poll(async () => (await fan.get()).status).toBe('WAITING');
      const asked = fan.cancel().catch(() => {});
      await first.kill();
      await asked;
      // It may have died before it was heard.
      const seen = at(second, fan);
      await seen.cancel();
      await expect(seen.result()).rejects.toMatchObject({ code: 'intent_canceled' });
      await expect.poll(async () => statuses(ids)).toEqual(new Set(['CANCELED']));
    });
  },
);
