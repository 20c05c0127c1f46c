export { storeConformance } from './store/store-conformance.ts';
export type { StoreData, StoreSuite } from './store/suite.ts';
