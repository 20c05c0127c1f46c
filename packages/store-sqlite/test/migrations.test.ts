import { DatabaseSync } from 'node:sqlite';
import { describe, expect, it, onTestFinished } from 'vitest';
import { sqliteStore } from '@durable-api/store-sqlite';
import { migrate } from '../src/migrate.ts';
import { MIGRATIONS, type Migration } from '../src/migrations.ts';
import { dataPath } from './support/data-folder.ts';
import { submitRequest } from './support/intents.ts';
import { openStore } from './support/open-store.ts';

const STEPS: readonly Migration[] = [
  { number: 1, isBreaking: true, sql: 'CREATE TABLE a (x)' },
  { number: 2, isBreaking: false, sql: 'CREATE TABLE b (x)' },
];

function database(path: string = dataPath()): DatabaseSync {
  const db = new DatabaseSync(path);
  onTestFinished(() => db.close());
  return db;
}

const tables = (db: DatabaseSync): unknown[] =>
  db
    .prepare("SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY name")
    .all()
    .map((row) => row['name']);

describe('migrate', () => {
  it('takes all steps of a new file, and none twice', () => {
    const db = database();
    migrate(db, STEPS);
    migrate(db, STEPS);
    expect(tables(db)).toEqual(['a', 'b', 'migrations']);
    const steps = db.prepare('SELECT n, breaking FROM migrations ORDER BY n').all();
    expect(steps).toEqual([
      { n: 1, breaking: 1 },
      { n: 2, breaking: 0 },
    ]);
  });

  it('takes only the steps that are left of an older file', () => {
    const db = database();
    migrate(db, STEPS.slice(0, 1));
    db.exec('INSERT INTO a VALUES (7)');
    migrate(db, STEPS);
    expect(tables(db)).toEqual(['a', 'b', 'migrations']);
    expect(db.prepare('SELECT x FROM a').get()).toEqual({ x: 7 });
  });

  it('marks the file as one of ours', () => {
    const db = database();
    migrate(db, STEPS);
    const id = Number(db.prepare('PRAGMA application_id').get()?.['application_id']);
    expect(Buffer.from(id.toString(16), 'hex').toString()).toBe('dApi');
  });

  it('tolerates a newer step that does not break older versions', () => {
    const db = database();
    migrate(db, STEPS);
    migrate(db, STEPS.slice(0, 1));
    expect(tables(db)).toEqual(['a', 'b', 'migrations']);
  });

  it('refuses a newer step that breaks older versions, also when steps of its own are left', () => {
    const db = database();
    const breaking = { number: 3, isBreaking: true, sql: 'CREATE TABLE c (x)' };
    migrate(db, [...STEPS, breaking]);
    expect(() => migrate(db, STEPS)).toThrow('schema step 3');
    expect(() => migrate(db, [...STEPS, { ...breaking, number: 4 }])).toThrow('schema step 3');
    expect(tables(db)).toEqual(['a', 'b', 'c', 'migrations']);
  });

  it('leaves a file as it was when a step fails', () => {
    const db = database();
    const wrong = { number: 3, isBreaking: false, sql: 'CREATE TABLE c (x); CREATE TABLE a (x)' };
    expect(() => migrate(db, [...STEPS, wrong])).toThrow('already exists');
    expect(tables(db)).toEqual([]);
    migrate(db, STEPS);
    expect(tables(db)).toEqual(['a', 'b', 'migrations']);
  });

  it('numbers its own steps in order from 1, the first of them breaking', () => {
    const numbers = MIGRATIONS.map(({ number }) => number);
    expect(numbers).toEqual(numbers.map((_, i) => i + 1));
    expect(MIGRATIONS[0]?.isBreaking).toBe(true);
  });
});

describe('a store on a file of a newer version', () => {
  it('refuses it when the newer version says so, with what to do', async () => {
    const path = dataPath();
    await (await openStore(path)).close();
    database(path).exec('INSERT INTO migrations VALUES (1000, 1, 0)');
    const store = sqliteStore(path);
    onTestFinished(() => store.close());
    const error = await store.migrate().catch((error: unknown) => error);
    expect(error).toMatchObject({ name: 'DurableError', code: 'options_invalid' });
    expect(String(error)).toContain('Deploy the newer version here too.');
  });

  it('works on it otherwise', async () => {
    const path = dataPath();
    await (await openStore(path)).close();
    database(path).exec('INSERT INTO migrations VALUES (1000, 0, 0)');
    const store = await openStore(path);
    expect(await store.submit([submitRequest()])).toEqual([{ outcome: 'created' }]);
  });
});
