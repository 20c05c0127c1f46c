import type { Store, StoreCapabilities } from '@durable-api/core';

/** One empty set of data, made for one test. */
export interface StoreData {
  /**
   * A store on this data, not yet migrated: the suite calls `migrate` itself. Called again, it gives
   * another store on the same data, as another process would have it. The suite closes all of them.
   */
  open(): Store | Promise<Store>;
  /** Removes the data. Called once, after all its stores were closed, also when the test has failed. */
  dispose(): void | Promise<void>;
}

/** What {@link storeConformance} is told about the store that it examines. */
export interface StoreSuite {
  /** What the store says of itself; what it does not claim to do is not asked of it. */
  readonly capabilities: StoreCapabilities;
  /**
   * Whether several stores of this process can be open on the same data at once. Default:
   * `capabilities.shared`. A store that is not shared between processes may still allow it.
   */
  readonly severalStores?: boolean;
  /** Makes an empty set of data. It must share nothing with those of other tests. */
  create(): StoreData | Promise<StoreData>;
}

/** Whether the suite may open several stores on one set of data. */
export function allowsSeveralStores(suite: StoreSuite): boolean {
  return suite.severalStores ?? suite.capabilities.shared;
}

/** Whether what was acknowledged is still there when all stores were closed. */
export function isDurable(suite: StoreSuite): boolean {
  return suite.capabilities.durability !== 'none';
}
