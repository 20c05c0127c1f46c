import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { durable } from './test-terminal.ts';

const folders: string[] = [];
afterEach(() => {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true });
});

function storeUrl(): string {
  const folder = mkdtempSync(join(tmpdir(), 'durable-serve-'));
  folders.push(folder);
  return `sqlite:${join(folder, 'operations.db')}`;
}

/** Serves while `work` goes on. */
async function serving(
  flags: readonly string[],
  work: (url: string) => Promise<void>,
  env: Record<string, string> = {},
): Promise<{ readonly exit: number; readonly stderr: string }> {
  const stop = new AbortController();
  let stdout = (): string => '';
  const said = durable(['serve', '--port', '0', ...flags], {
    env,
    signal: stop.signal,
    onStart: (read) => (stdout = read),
  });
  try {
    await expect.poll(() => stdout()).toMatch(/^Listening on http:\/\/127\.0\.0\.1:\d+\n/);
    await work(stdout().slice('Listening on '.length).trim());
  } finally {
    stop.abort();
  }
  return said;
}

async function statusOf(url: string, key?: string): Promise<number> {
  const headers = key === undefined ? {} : { 'x-api-key': key };
  return (await fetch(`${url}/v1/intents`, { headers })).status;
}

describe('durable serve', () => {
  it('serves a store, to who has a key', async () => {
    const store = storeUrl();
    const { stdout } = await durable(['keys', 'mint', '--store', store]);
    const { exit, stderr } = await serving(
      ['--store', store],
      async (url) => {
        expect((await fetch(`${url}/health`)).status).toBe(200);
        expect(await statusOf(url)).toBe(401);
        expect(await statusOf(url, stdout.trim())).toBe(200);
        expect(await statusOf(url, 'the-key-of-the-environment')).toBe(200);
        expect((await fetch(`${url}/v1/users`)).status).toBe(404);
      },
      { DURABLE_ADMIN_KEY: 'the-key-of-the-environment' },
    );
    expect({ exit, stderr }).toEqual({ exit: 0, stderr: '' });
  });

  it('lets in anybody only with --open, and says so', async () => {
    const { stderr } = await serving(['--store', storeUrl(), '--open'], async (url) => {
      expect(await statusOf(url)).toBe(200);
    });
    expect(stderr).toMatch(/warn: The gateway is open/);
  });

  it('ends open streams when it is interrupted', async () => {
    const ended: Promise<string>[] = [];
    await serving(['--store', storeUrl(), '--open'], async (url) => {
      const answer = await fetch(`${url}/v1/agents/a/b/c/intents/stream?wait_seconds=60`);
      ended.push(answer.text());
    });
    expect(await ended[0]).toMatch(/^event: stream\.timeout\n/);
  });
});

describe('durable keys', () => {
  it('mints, lists and revokes keys of admins and agents', async () => {
    const store = ['--store', storeUrl()];
    const admin = (await durable(['keys', 'mint', '--json', ...store])).json[0];
    const agent = ['keys', 'mint', '--agent', 'agent://org/env/worker', ...store];
    const token = (await durable(agent)).stdout.trim();
    expect(token).toMatch(/^axp\.sak_/);
    const listed = await durable(['keys', 'list', ...store]);
    expect(listed.stdout).not.toContain(token);
    expect(listed.stdout).toMatch(/ active .* admin\n/);
    expect(listed.stdout).toMatch(/ active .* agent:\/\/org\/env\/worker\n/);
    const { keyId } = Object(admin);
    expect((await durable(['keys', 'revoke', '--key', keyId, ...store])).stdout).toMatch(
      / revoked /,
    );
    expect(await durable(['keys', 'revoke', '--key', 'sak_none', ...store])).toMatchObject({
      exit: 2,
    });
    expect(await durable(['keys', 'shred', ...store])).toMatchObject({ exit: 2 });
  });
});
