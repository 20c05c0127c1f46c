import type { CommitRequest, Store, SubmitRequest } from '../../src/store/store.ts';
import { aroundStore } from './around-store.ts';

/** A write that a process is about to make. */
type Write =
  | { readonly method: 'submit'; readonly request: SubmitRequest }
  | { readonly method: 'commit'; readonly request: CommitRequest };

/** When a process dies: before or after a write of it, or not yet. */
export type Fate = (write: Write) => 'before' | 'after' | null;

/** The store of a process that dies when its fate says so: nothing of it is carried out then, or answered. */
export function mortalStore(store: Store, fate: Fate): Store & { die(): void } {
  let isDead = false;
  const never = <T>(): Promise<T> => new Promise(() => {});
  const mortal = aroundStore(store, async (method, call, request) => {
    if (isDead) return never();
    const fates = writesOf(method, request).map(fate);
    if (fates.includes('before')) isDead = true;
    if (isDead) return never();
    const answer = await call();
    if (fates.includes('after')) isDead = true;
    return isDead ? never() : answer;
  });
  return {
    ...mortal,
    watch: (listener) =>
      store.watch((hint) => {
        if (!isDead) listener(hint);
      }),
    die() {
      isDead = true;
    },
  };
}

function writesOf(method: string, request: unknown): Write[] {
  if (method !== 'submit' && method !== 'commit') return [];
  if (!Array.isArray(request)) return [];
  return request.map((one) => ({ method, request: one }));
}
