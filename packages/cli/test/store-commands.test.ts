import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DurableApi, NonRetryableError } from '@durable-api/core';
import { sqliteStore } from '@durable-api/store-sqlite';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { durable } from './test-terminal.ts';

let folder: string;
let url: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'durable-cli-'));
  url = `sqlite:${join(folder, 'operations.db')}`;
});
afterEach(() => rm(folder, { recursive: true }));

/** Runs `count` operations with a server's engine; those with an odd number fail. */
async function runOperations(count: number): Promise<readonly string[]> {
  await using api = new DurableApi({ store: sqliteStore(url.slice('sqlite:'.length)) });
  const run = async (input: unknown) => {
    const n = Number(Object(input).body);
    if (n % 2 === 1) throw new NonRetryableError(`Number ${n} is odd.`);
    return { status: 200, headers: {}, body: Buffer.from('') };
  };
  api.declare({ name: 'numbers.check', run });
  const ids: string[] = [];
  for (let n = 0; n < count; n += 1) {
    const { record } = await api.intents.submit('numbers.check', { body: n }, { owner: 'alice' });
    ids.push(record.id);
  }
  await expect
    .poll(async () => (await api.intents.list({ statuses: ['SUBMITTED', 'IN_PROGRESS'] })).length)
    .toBe(0);
  return ids;
}

describe('durable list', () => {
  it('shows intents, newest first, of a status, an operation, an owner, a page', async () => {
    const ids = await runOperations(4);
    const all = await durable(['list', '--store', url]);
    const lines = all.stdout.trim().split('\n');
    expect(lines.map((line) => line.slice(0, 36))).toEqual(ids.toReversed());
    expect(lines[0]).toMatch(/ FAILED +\S+Z {2}numbers\.check {2}alice {2}\w+: Number 3 is odd\.$/);

    const failed = await durable([
      'list',
      '-s',
      url,
      '--status',
      'failed',
      '--json',
      '--limit',
      '1',
    ]);
    expect(failed.json).toMatchObject([{ id: ids[3], status: 'FAILED' }]);
    const page = await durable(['list', '-s', url, '--before', ids[2] ?? '', '--json']);
    expect(page.json).toMatchObject([{ id: ids[1] }, { id: ids[0] }]);
    expect((await durable(['list', '-s', url, '--owner', 'bob'])).stdout).toBe('');
    expect((await durable(['list', '-s', url, '--operation', 'other'])).stdout).toBe('');
    const byEnvironment = await durable(['list'], { env: { DURABLE_STORE: url } });
    expect(byEnvironment.stdout).toBe(all.stdout);
  });
});

describe('durable retry', () => {
  it('submits what failed again, with the same input, for the same owner', async () => {
    const [good = '', bad = ''] = await runOperations(2);
    const retried = await durable(['retry', bad, '--store', url, '--json']);
    expect(retried.json).toMatchObject([{ retried: bad, operation: 'numbers.check' }]);
    const [newest] = (await durable(['list', '-s', url, '--json'])).json;
    expect(newest).toMatchObject({ status: 'SUBMITTED', owner: 'alice' });
    await runOperations(0);
    const failed = await durable(['list', '-s', url, '--status', 'FAILED', '--json']);
    expect(failed.json).toMatchObject([
      { error: { message: 'Number 1 is odd.' } },
      { id: bad, error: { message: 'Number 1 is odd.' } },
    ]);
    expect(await durable(['retry', good, '--store', url])).toMatchObject({
      exit: 2,
      stderr: expect.stringContaining('is COMPLETED'),
    });
    const unknown = await durable(['retry', '0193aaaa-0000-7000-8000-000000000000', '-s', url]);
    expect(unknown.exit).toBe(2);
  });
});

describe('durable migrate and prune', () => {
  it('bring a store up to date, and remove what ended long ago', async () => {
    expect(await durable(['migrate', '--store', url])).toMatchObject({
      exit: 0,
      stdout: 'The store is up to date.\n',
    });
    await runOperations(3);
    expect((await durable(['prune', '--store', url])).stdout).toBe('Removed 0 intents.\n');
    expect((await durable(['list', '-s', url, '--json'])).json).toHaveLength(3);
    expect((await durable(['prune', '-s', url, '--days', '0', '--json'])).json).toEqual([
      { removed: 3 },
    ]);
    expect((await durable(['list', '-s', url])).stdout).toBe('');
  });
});

describe('a store', () => {
  it('that cannot be had is an error that says what to do', async () => {
    for (const [store, message] of [
      ['mysql://localhost', 'none of sqlite:FILE'],
      ['sqlite:/nowhere/at/all.db', ''],
    ] as const) {
      const said = await durable(['list', '--store', store]);
      expect(said.exit).not.toBe(0);
      expect(said.stderr).toContain(message);
    }
    expect(await durable(['list'])).toMatchObject({
      exit: 2,
      stderr: expect.stringContaining('DURABLE_STORE'),
    });
  });
});

describe('durable doctor - --store', () => {
  it('finds nothing wrong with a store that is fine', async () => {
    await runOperations(2);
    const said = await durable(['doctor', '-', '--store', url]);
    expect(said.exit).toBe(0);
    expect(said.stdout).toMatch(
      /^ok {3}integrity: .*\nok {3}journal: .*WAL.*\nok {3}store: It opens\. .*1 FAILED/,
    );
    expect(said.stdout).toContain('ok   durability: Acknowledged writes survive power loss.');
  });

  it('finds a damaged file, a foreign file, a missing one', async () => {
    const damaged = join(folder, 'damaged.db');
    await writeFile(damaged, 'SQLite format 3\0'.padEnd(8_192, 'x'));
    const said = await durable(['doctor', '-', '--store', `sqlite:${damaged}`, '--json']);
    expect(said.exit).toBe(1);
    expect(said.json).toMatchObject([{ check: 'integrity', level: 'fail' }]);
    const none = await durable([
      'doctor',
      '-',
      '-s',
      `sqlite:${join(folder, 'none.db')}`,
      '--json',
    ]);
    expect(none).toMatchObject({ exit: 0, json: [{ check: 'store', level: 'warn' }] });
  });
});
