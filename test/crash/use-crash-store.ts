import { DurableClient, type Operation } from '@durable-api/client';
import { afterAll, beforeAll } from 'vitest';
import type { ServerInProcess } from '../server-in-process.ts';
import { openCrashStore, type CrashStore } from './crash-store.ts';

/** A store for the tests of a suite that several processes share: its URL, from their beginning on. */
export function useCrashStore(kind: Parameters<typeof openCrashStore>[0]): () => string {
  let store: CrashStore;
  beforeAll(async () => {
    const opened = await openCrashStore(kind);
    if (opened === null) throw new Error(`There is no ${kind} server on this machine.`);
    store = opened;
  }, 240_000);
  afterAll(() => store[Symbol.asyncDispose]());
  return () => store.url;
}

/** An operation as another process serves it. */
export function at({ origin }: ServerInProcess, { url }: Operation): Operation {
  return new DurableClient(origin).operation(new URL(url).pathname);
}
