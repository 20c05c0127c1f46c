import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { adapterConformance, type AdapterData } from '@durable-api/conformance';
import { sqliteStore } from '@durable-api/store-sqlite';
import express5 from 'express';
import express4 from 'express4';
import { serveWith } from './serve.ts';

function onSqlite(): AdapterData {
  const folder = mkdtempSync(join(tmpdir(), 'durable-express-'));
  return {
    open: () => sqliteStore(join(folder, 'operations.db')),
    dispose: () => rmSync(folder, { recursive: true, force: true }),
  };
}

adapterConformance('Express 5 in memory', serveWith(express5));
adapterConformance('Express 4 in memory', serveWith(express4));
adapterConformance('Express 5 on SQLite', serveWith(express5), { createData: onSqlite });
adapterConformance('Express 4 on SQLite', serveWith(express4), { createData: onSqlite });
