import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { AdapterData } from '@durable-api/conformance';
import { sqliteStore } from '@durable-api/store-sqlite';

/** A file of one case's own. */
export function onSqlite(): AdapterData {
  const folder = mkdtempSync(join(tmpdir(), 'durable-nestjs-'));
  return {
    open: () => sqliteStore(join(folder, 'operations.db')),
    dispose: () => rmSync(folder, { recursive: true, force: true }),
  };
}
