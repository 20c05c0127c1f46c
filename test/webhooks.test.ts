import { it } from 'vitest';
import { openCrashStore } from './crash/crash-store.ts';
import { killWhileDelivering } from './webhooks/kill-while-delivering.ts';

it('a webhook is delivered by another process when one is killed while it delivers', async () => {
  await using store = await openCrashStore('sqlite');
  if (store !== null) await killWhileDelivering(store.url);
});
