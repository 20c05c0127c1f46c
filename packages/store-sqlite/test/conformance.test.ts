import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { storeConformance } from '@durable-api/conformance';
import { sqliteStore } from '@durable-api/store-sqlite';

storeConformance('sqliteStore', {
  capabilities: {
    durability: 'power-loss',
    shared: true,
    watches: true,
    clock: 'caller',
    transactions: true,
  },
  create() {
    const folder = mkdtempSync(join(tmpdir(), 'durable-sqlite-'));
    return {
      open: () => sqliteStore(join(folder, 'operations.db')),
      dispose: () => rmSync(folder, { recursive: true }),
    };
  },
});
