import { expect, it } from 'vitest';
import { openCrashStore } from './crash/crash-store.ts';
import { killWhileDelivering } from './webhooks/kill-while-delivering.ts';

it.each(['postgres', 'redis'] as const)(
  'a webhook is delivered by another process on %s when one is killed while it delivers',
  { timeout: 120_000 },
  async (kind) => {
    await using store = await openCrashStore(kind);
    if (store === null) expect.fail(`There is no ${kind} server on this machine.`);
    await killWhileDelivering(store.url);
  },
);
