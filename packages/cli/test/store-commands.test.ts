import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import {
  DurableApi,
  NonRetryableError,
  type WebhookOptions,
  type WebhookPost,
} from '@durable-api/core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openStore } from '../src/open-store.ts';
import { StoreServers, STORE_KINDS } from './store-servers.ts';
import { durable } from './test-terminal.ts';

const HOUR_MS = 3_600_000;

const servers = new StoreServers();
beforeAll(() => servers.start());
afterAll(() => servers.stop());

/** Runs `count` operations with a server's engine; those with an odd number fail. */
async function runOperations(url: string, count: number): Promise<readonly string[]> {
  await using api = new DurableApi({ store: await openStore(url) });
  const run = async (input: unknown) => {
    const n = Number(Object(input).body);
    if (n % 2 === 1) throw new NonRetryableError(`Number ${n} is odd.`);
    return { status: 200, headers: {}, body: Buffer.from('') };
  };
  api.declare({ name: 'numbers.check', run }, { deadlineMs: HOUR_MS });
  const ids: string[] = [];
  for (let n = 0; n < count; n += 1) {
    const { record } = await api.intents.submit('numbers.check', { body: n }, { owner: 'alice' });
    ids.push(record.id);
    // Ids are ordered by their milliseconds.
    const now = (): number => Date.now();
    await expect.poll(now, { interval: 1 }).toBeGreaterThan(record.createdAt + 1);
  }
  await expect
    .poll(async () => {
      const all = await api.intents.list({ statuses: ['SUBMITTED', 'DELIVERED', 'IN_PROGRESS'] });
      return all.length;
    })
    .toBe(0);
  return ids;
}

describe.each(STORE_KINDS)('on %s', (kind) => {
  const emptyStore = (skip: () => void): string => {
    const url = servers.url(kind);
    if (url === null) skip();
    return url ?? '';
  };

  it('durable list shows intents, newest first, of a status, an operation, an owner, a page', async ({
    skip,
  }) => {
    const url = emptyStore(skip);
    const ids = await runOperations(url, 4);
    const all = await durable(['list', '--store', url]);
    const lines = all.stdout.trim().split('\n');
    expect(lines.map((line) => line.slice(0, 36))).toEqual(ids.toReversed());
    expect(lines[0]).toMatch(/ FAILED +\S+Z {2}numbers\.check {2}alice {2}\w+: Number 3 is odd\.$/);

    const one = ['list', '-s', url, '--status', 'failed', '--json', '--limit', '1'];
    expect((await durable(one)).json).toMatchObject([{ id: ids[3], status: 'FAILED' }]);
    const page = await durable(['list', '-s', url, '--before', ids[2] ?? '', '--json']);
    expect(page.json).toMatchObject([{ id: ids[1] }, { id: ids[0] }]);
    expect((await durable(['list', '-s', url, '--owner', 'bob'])).stdout).toBe('');
    expect((await durable(['list', '-s', url, '--operation', 'other'])).stdout).toBe('');
    const byEnvironment = await durable(['list'], { env: { DURABLE_STORE: url } });
    expect(byEnvironment.stdout).toBe(all.stdout);
  });

  it('durable retry --status counts what fits, and with --yes retries each once', async ({
    skip,
  }) => {
    const url = emptyStore(skip);
    const ids = await runOperations(url, 4);
    const failed = ['retry', '--store', url, '--status', 'failed'];
    expect((await durable(failed)).stdout).toBe('2 intents fit. Retry them with --yes.\n');
    expect((await durable([...failed, '--operation', 'other', '--json'])).json).toEqual([
      { found: 0, retried: 0 },
    ]);
    expect((await durable([...failed, '--until', '1h', '--json'])).json).toEqual([
      { found: 0, retried: 0 },
    ]);
    const wanted = [...failed, '--since', '1h', '--owner', 'alice', '--yes'];
    const done = await durable([...wanted, '--json']);
    expect(done.json).toMatchObject([
      { retried_from: ids[3], operation: 'numbers.check' },
      { retried_from: ids[1] },
      { found: 2, retried: 2 },
    ]);
    expect((await durable(wanted)).stdout).toBe('Retried 0 of 2 intents.\n');
    expect(
      (await durable(['list', '-s', url, '--status', 'SUBMITTED', '--json'])).json,
    ).toHaveLength(2);
    expect((await durable(['retry', '--store', url])).exit).toBe(2);
  });

  it('durable retry submits what failed again, with the same input, linked, for the same owner', async ({
    skip,
  }) => {
    const url = emptyStore(skip);
    const [good = '', bad = ''] = await runOperations(url, 2);
    const retried = await durable(['retry', bad, '--store', url, '--key', 'k', '--json']);
    expect(retried.json).toMatchObject([{ retried_from: bad, operation: 'numbers.check' }]);
    const again = await durable(['retry', bad, '--store', url, '--key', 'k', '--json']);
    expect(again.json).toEqual(retried.json);
    const [newest] = (await durable(['list', '-s', url, '--json'])).json;
    expect(newest).toMatchObject({ status: 'SUBMITTED', owner: 'alice', retriedFrom: bad });
    const { createdAt, deadlineAt } = Object(newest);
    expect(deadlineAt - createdAt).toBe(HOUR_MS);
    await runOperations(url, 0);
    const failed = await durable(['list', '-s', url, '--status', 'FAILED', '--json']);
    expect(failed.json).toMatchObject([
      { error: { message: 'Number 1 is odd.' } },
      { id: bad, error: { message: 'Number 1 is odd.' } },
    ]);
    expect(await durable(['retry', good, '--store', url])).toMatchObject({
      exit: 5,
      stderr: expect.stringMatching(/^intent_not_retryable: .*is COMPLETED/),
    });
    const unknown = await durable(['retry', '0193aaaa-0000-7000-8000-000000000000', '-s', url]);
    expect(unknown.exit).toBe(2);
  });

  it('durable cancel ends what waits, and says what is over', async ({ skip }) => {
    const url = emptyStore(skip);
    const [good = '', bad = ''] = await runOperations(url, 2);
    const fresh = (await durable(['retry', bad, '-s', url])).stdout.trim();
    const canceled = await durable(['cancel', fresh, '--store', url, '--json']);
    expect(canceled.json).toMatchObject([{ id: fresh, status: 'CANCELED', retriedFrom: bad }]);
    expect((await durable(['cancel', fresh, '-s', url])).stdout).toContain('CANCELED');
    expect(await durable(['cancel', good, '-s', url])).toMatchObject({
      exit: 5,
      stderr: expect.stringMatching(/^intent_terminal: /),
    });
  });

  it('durable cancel and retry have a server send webhooks, though they know no secret', async ({
    skip,
  }) => {
    const url = emptyStore(skip);
    const sent: WebhookPost[] = [];
    const webhooks: WebhookOptions = {
      secret: `whsec_${Buffer.alloc(32, 7).toString('base64')}`,
      allow: ['hooks.example.com'],
      send: async (post) => {
        sent.push(post);
        return { status: 204 };
      },
    };
    await using api = new DurableApi({ store: await openStore(url), webhooks });
    api.declare({ name: 'later', run: async () => Promise.reject(new Error('It is canceled.')) });
    const wish = { startAfterMs: HOUR_MS, webhookUrl: 'https://hooks.example.com/' };
    const { record } = await api.intents.submit('later', {}, wish);
    await durable(['cancel', record.id, '--store', url]);
    await expect.poll(() => sent.length).toBe(1);
    const ended = ['list', '-s', url, '--operation', 'durable.webhook', '--status', 'COMPLETED'];
    const shown = async (): Promise<string> => (await durable(ended)).stdout;
    await expect.poll(shown).toContain(`webhook of ${record.id}`);
    const delivery = (await shown()).slice(0, 36);
    expect((await durable(['retry', delivery, '--store', url])).exit).toBe(0);
    await expect.poll(() => sent.length).toBe(2);
    expect(sent.map(({ headers }) => headers['webhook-id'])).toEqual(
      sent.map(() => `msg_${record.id}`),
    );
    expect(JSON.parse(sent[1]?.body ?? '')).toMatchObject({ type: 'intent.canceled' });
  });

  it('durable migrate and prune bring it up to date, and remove what ended long ago', async ({
    skip,
  }) => {
    const url = emptyStore(skip);
    for (let i = 0; i < 2; i += 1) {
      expect(await durable(['migrate', '--store', url])).toMatchObject({
        exit: 0,
        stdout: 'The store is up to date.\n',
      });
    }
    await runOperations(url, 3);
    expect((await durable(['prune', '--store', url])).stdout).toBe('Removed 0 intents.\n');
    expect((await durable(['list', '-s', url, '--json'])).json).toHaveLength(3);
    expect((await durable(['prune', '-s', url, '--days', '0', '--json'])).json).toEqual([
      { removed: 3 },
    ]);
    expect((await durable(['list', '-s', url])).stdout).toBe('');
  });

  it('durable doctor finds nothing wrong with one that is fine', async ({ skip }) => {
    const url = emptyStore(skip);
    await runOperations(url, 2);
    const said = await durable(['doctor', '-', '--store', url]);
    expect(said.exit).toBe(0);
    expect(said.stdout).not.toMatch(/^(warn|fail)/m);
    expect(said.stdout).toMatch(/^ok {3}store: It opens\. .*1 FAILED/m);
    expect(said.stdout).toContain('ok   durability: Acknowledged writes survive power loss.');
    if (kind === 'sqlite')
      expect(said.stdout).toMatch(/^ok {3}integrity: .*\nok {3}journal: .*WAL/);
    if (kind === 'postgres') expect(said.stdout).toContain('ok   wake-ups: LISTEN works');
    if (kind !== 'redis') expect(said.stdout).toContain('ok   migrations: All are done.');
  });
});

describe('a store', () => {
  it('whose file is not there is refused, and no file is made', async () => {
    const url = servers.url('sqlite') ?? '';
    for (const args of [['list'], ['prune'], ['cancel', 'x'], ['retry', 'x']]) {
      expect(await durable([...args, '--store', url])).toMatchObject({
        exit: 2,
        stderr: expect.stringContaining(`durable migrate --store ${url}`),
      });
      expect(existsSync(url.slice('sqlite:'.length))).toBe(false);
    }
  });

  it('is not needed to say the version', async () => {
    const { version } = Object(createRequire(import.meta.url)('../package.json'));
    expect(await durable(['--version'])).toMatchObject({ exit: 0, stdout: `${version}\n` });
  });

  it('that cannot be had is an error that says what to do', async () => {
    for (const [store, message] of [
      ['mysql://localhost', 'none of sqlite:FILE'],
      ['sqlite:/nowhere/at/all.db', 'There is no file /nowhere/at/all.db.'],
      ['postgres://nobody@127.0.0.1:1/none', 'store_unavailable'],
      ['redis://127.0.0.1:1', 'store_unavailable'],
      ['postgres://localhost/x?acceptDurability=all', 'takes "process-crash"'],
    ] as const) {
      const said = await durable(['list', '--store', store]);
      expect(said.exit, store).not.toBe(0);
      expect(said.stderr).toContain(message);
    }
    expect(await durable(['list'])).toMatchObject({
      exit: 2,
      stderr: expect.stringContaining('DURABLE_STORE'),
    });
  });
});
