import type { Store, ClaimRequest, ClaimResult, KeyedOperation } from '@durable-api/core';
import type { IntentWish, StoreScene } from './scene.ts';

/** Claims of `report` what has a key, under these limits. */
export function claimKeyed(
  scene: StoreScene,
  limits: Partial<KeyedOperation> = {},
  wish: Partial<ClaimRequest> = {},
  on: Store = scene.store,
): Promise<ClaimResult> {
  const none = { operation: 'report', room: null, perKey: null, rateLimit: null };
  return scene.claim({ operations: [], keyed: [{ ...none, ...limits }], ...wish }, on);
}

/** Submits intents, each a little longer due than the next; returns their ids. */
export async function submitAll(
  scene: StoreScene,
  wishes: readonly IntentWish[],
): Promise<string[]> {
  const now = await scene.now();
  const requests = [];
  for (const [i, wish] of wishes.entries()) {
    requests.push(await scene.request({ createdAt: now - 1_000 + i, ...wish }));
  }
  await scene.store.submit(requests);
  return requests.map(({ record }) => record.id);
}

/** The keys of what was claimed, in order. */
export function keysOf({ claimed }: ClaimResult): string[] {
  return claimed.map(({ record }) => record.key ?? 'none');
}

/** So many intents like this one. */
export function times(count: number, wish: IntentWish): IntentWish[] {
  return Array.from({ length: count }, () => ({ ...wish }));
}

/** What was claimed first. */
export function firstOf({ claimed }: ClaimResult): ClaimResult['claimed'][number] {
  const [first] = claimed;
  if (first === undefined) throw new Error('Nothing was claimed.');
  return first;
}
