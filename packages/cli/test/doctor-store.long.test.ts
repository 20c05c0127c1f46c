import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { hasPgBouncer, PgBouncer } from '../../store-postgres/test/support/pg-bouncer.ts';
import {
  findTestDatabase,
  type TestDatabase,
} from '../../store-postgres/test/support/test-database.ts';
import { redisBinary } from '../../store-redis/test/support/redis-binary.ts';
import { RedisServer } from '../../store-redis/test/support/redis-server.ts';
import { durable, type Said } from './test-terminal.ts';

const examine = (store: string): Promise<Said> =>
  durable(['doctor', '-', '--store', store, '--json']);

const found = (check: string, level: string, message = ''): unknown =>
  expect.objectContaining({ check, level, message: expect.stringContaining(message) });

describe('durable doctor of a SQLite file', () => {
  let folder: string;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'durable-doctor-'));
  });
  afterAll(() => rm(folder, { recursive: true }));

  it('finds a damaged file, and a missing one, which it does not make', async () => {
    const damaged = join(folder, 'damaged.db');
    await writeFile(damaged, 'SQLite format 3\0'.padEnd(8_192, 'x'));
    const said = await examine(`sqlite:${damaged}`);
    expect(said).toMatchObject({ exit: 1, json: [{ check: 'integrity', level: 'fail' }] });
    const none = `sqlite:${join(folder, 'none.db')}`;
    expect(await examine(none)).toMatchObject({
      exit: 0,
      json: [{ check: 'store', level: 'warn' }],
    });
    expect((await examine(none)).json).toHaveLength(1);
  });

  it('finds steps of the schema that are not done, and does not do them', async () => {
    const path = join(folder, 'old.db');
    await durable(['migrate', '--store', `sqlite:${path}`]);
    using db = new DatabaseSync(path);
    db.exec('DELETE FROM migrations WHERE n = 2; ALTER TABLE intents DROP COLUMN retried_from');
    const old = found('migrations', 'warn', 'Not done yet: 2. Run durable migrate');
    expect((await examine(`sqlite:${path}`)).json).toContainEqual(old);
    expect((await examine(`sqlite:${path}`)).json).toContainEqual(old);
    await durable(['migrate', '--store', `sqlite:${path}`]);
    const now = await examine(`sqlite:${path}`);
    expect(now.json).toContainEqual(found('migrations', 'ok'));
    expect(now.json).toContainEqual(found('store', 'ok', 'No intents'));
  });
});

describe('durable doctor of Postgres', () => {
  let database: TestDatabase | null;
  beforeAll(async () => {
    database = await findTestDatabase();
  });
  afterAll(() => database?.end());

  it('finds that nothing is migrated yet, and leaves it so', async ({ skip }) => {
    if (database === null) return skip();
    const schema = database.schema();
    const said = await examine(`${database.url}?schema=${schema.name}`);
    expect(said).toMatchObject({ exit: 0, json: [found('migrations', 'warn', 'Not done yet: 1')] });
    const { rows } = await database.pool.query('SELECT to_regnamespace($1) AS found', [
      schema.name,
    ]);
    expect(rows).toEqual([{ found: null }]);
  });

  it('finds a PgBouncer in transaction mode', async ({ skip }) => {
    if (database === null || !(await hasPgBouncer())) return skip();
    const schema = database.schema();
    await durable(['migrate', '--store', `${database.url}?schema=${schema.name}`]);
    await using bouncer = await PgBouncer.start(database.url);
    const said = await examine(`${bouncer.url}?schema=${schema.name}`);
    expect(said.json).toContainEqual(found('store', 'ok'));
    expect(said.json).toContainEqual(found('wake-ups', 'warn', 'PgBouncer in transaction mode'));
    await schema.drop();
  });

  it('finds a server that is away, and one that may lose writes', async ({ skip }) => {
    const away = await examine('postgres://nobody@127.0.0.1:1/none');
    expect(away).toMatchObject({ exit: 1, json: [found('store', 'fail')] });
    if (database === null) return skip();
    const schema = database.schema();
    const unsafe = `${database.url}?schema=${schema.name}&options=-csynchronous_commit%3Doff`;
    const { exit, stderr } = await durable(['migrate', '--store', unsafe]);
    expect(exit).toBe(5);
    expect(stderr).toContain('synchronous_commit is off');
    const accepted = `${unsafe}&acceptDurability=process-crash`;
    await durable(['migrate', '--store', accepted]);
    expect((await examine(unsafe)).json).toContainEqual(
      found('store', 'fail', 'synchronous_commit'),
    );
    expect((await examine(accepted)).json).toContainEqual(
      found('durability', 'warn', 'process-crash'),
    );
    await schema.drop();
  });
});

describe.runIf(redisBinary() !== null)('durable doctor of Redis', () => {
  it.each([
    ['that evicts', { 'maxmemory-policy': 'allkeys-lru' }, 'set it to noeviction'],
    ['without an append-only file', { appendonly: 'no' }, 'set appendonly to yes'],
  ])('finds one %s', async (_, config, advice) => {
    await using server = await RedisServer.start(config);
    const said = await examine(server.url);
    expect(said).toMatchObject({ exit: 1, json: [found('store', 'fail', advice)] });
  });

  it('says what the append-only file keeps', async () => {
    await using server = await RedisServer.start({ appendfsync: 'everysec' });
    const said = await examine(server.url);
    expect(said.json).toContainEqual(found('durability', 'warn', 'process-crash'));
  });
});
