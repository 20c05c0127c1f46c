import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { AdapterData } from '@durable-api/conformance';
import { sqliteStore } from '@durable-api/store-sqlite';

/** A file of one test's own. */
export function onSqlite(): AdapterData {
  const folder = mkdtempSync(join(tmpdir(), 'durable-gateway-'));
  return {
    open: () => sqliteStore(join(folder, 'operations.db')),
    dispose: () => rmSync(folder, { recursive: true, force: true }),
  };
}
