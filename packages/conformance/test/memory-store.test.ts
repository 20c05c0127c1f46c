import { memoryData, memoryStore } from '@durable-api/core';
import { storeConformance } from '@durable-api/conformance';

storeConformance('memoryStore', {
  capabilities: { durability: 'none', shared: false, watches: true, clock: 'caller' },
  severalStores: true,
  create() {
    const data = memoryData();
    return { open: () => memoryStore(data), dispose() {} };
  },
});
