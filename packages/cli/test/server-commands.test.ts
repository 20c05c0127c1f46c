import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { NonRetryableError } from '@durable-api/core';
import { describe, expect, it, vi } from 'vitest';
import { ApiServer, respond } from '../../client/test/api-server.ts';
import { durable } from './test-terminal.ts';

const start = (): Promise<ApiServer> =>
  ApiServer.start({
    operations: {
      report: async (body, context) => {
        context.progress({ fraction: 0.5, message: 'half \u001B[31mred' });
        await new Promise((resolve) => void setTimeout(resolve, 150));
        return body;
      },
      file: () => respond(200, 'application/octet-stream', new Uint8Array([0, 255, 10])),
      fail: () => {
        throw new NonRetryableError('No paper.');
      },
      endless: (_, { signal }) => once(signal, 'abort').then(() => signal.throwIfAborted()),
      late: (_, { signal }) => once(signal, 'abort'),
    },
    operationOptions: { deadlineMs: 2_000 },
    options: { identify: ({ headers }) => headers.authorization ?? 'nobody' },
  });

const submitTo = async (server: ApiServer, name: string): Promise<string> =>
  (await durable(['submit', `${server.url}/${name}`])).stdout.trim();

describe('durable submit', () => {
  it('prints where the operation is', async () => {
    await using server = await start();
    const data = '{"quarter":"Q3"}';
    const said = await durable(['submit', `127.0.0.1:${server.port}/report`, '--data', data]);
    expect(said).toMatchObject({ exit: 0, stderr: '' });
    expect(said.stdout).toMatch(/^http:\/\/127\.0\.0\.1:\d+\/report\/[0-9a-f-]{36}\n$/);
    const result = await durable(['result', said.stdout.trim()]);
    expect(result).toMatchObject({ exit: 0, stdout: data });
  });

  it('follows it with --watch: a line per event, and JSON lines with --json', async () => {
    await using server = await start();
    const lines = await durable(['submit', `${server.url}/report`, '-d', '1', '--watch']);
    expect(lines.exit).toBe(0);
    expect(lines.stdout).toMatch(/#3 DELIVERED {4}delivered/);
    expect(lines.stdout).toMatch(/#5 IN_PROGRESS {2}progress 50 % half {2}\[31mred\n/);
    expect(lines.stdout).toMatch(/#6 COMPLETED {4}completed\n$/);
    expect(lines.stdout).not.toContain('\u001B');

    const json = await durable(['submit', `${server.url}/report`, '-d', '1', '-w', '--json']);
    expect(json.json).toMatchObject([
      { intent_id: expect.any(String), url: expect.any(String) },
      ...[1, 2, 3, 4, 5, 6].map((seq) => ({ seq })),
    ]);
  });

  it('shows colours and a progress bar on a terminal', async () => {
    await using server = await start();
    const args = ['submit', `${server.url}/report`, '-d', '1', '-w'];
    const { stdout } = await durable(args, { isTTY: true });
    expect(stdout).toContain('\u001B[32mCOMPLETED');
    expect(stdout).toContain(
      '████████████████████░░░░░░░░░░░░░░░░░░░░ \u001B[0m50 % half  [31mred',
    );
    expect(stdout).toContain('\r\u001B[2K');
    const plain = await durable(args, { isTTY: true, env: { NO_COLOR: '1' } });
    expect(plain.stdout).not.toContain('\u001B[3');
    const forced = await durable(args, { env: { FORCE_COLOR: '1' } });
    expect(forced.stdout).toContain('\u001B[32mCOMPLETED');
  });

  it('reads its data from a file and from stdin, and is one operation for one key', async () => {
    await using server = await start();
    const folder = await mkdtemp(join(tmpdir(), 'durable-cli-'));
    const file = join(folder, 'body.json');
    await writeFile(file, '{"a":1}');
    const url = `${server.url}/report`;
    const first = await durable(['submit', url, '--data', `@${file}`, '--key', 'k']);
    const second = await durable(['submit', url, '--data', '@-', '--key', 'k'], {
      stdin: '{"a":1}',
    });
    expect(second.stdout).toBe(first.stdout);
    const third = await durable(['submit', url, '--data', '2', '--key', 'k']);
    expect(third).toMatchObject({
      exit: 5,
      stderr: expect.stringMatching(/^idempotency_key_reused: /),
    });
    expect(await durable(['submit', url, '--data', '{'])).toMatchObject({ exit: 2 });
    expect(await durable(['submit', url, '--data', '@nowhere'])).toMatchObject({ exit: 2 });
    await rm(folder, { recursive: true });
  });

  it('sends DURABLE_TOKEN and --header', async () => {
    await using server = await start();
    const args = ['submit', `${server.url}/report`, '-H', 'X-One: 1', '--header', 'x-two:2'];
    await durable(args, { env: { DURABLE_TOKEN: 'secret' } });
    expect(server.received[0]?.headers).toMatchObject({
      authorization: 'Bearer secret',
      'x-one': '1',
      'x-two': '2',
    });
    expect((await durable([...args, '-H', 'nonsense'])).exit).toBe(2);
  });
});

describe('an operation', () => {
  it('is observed from anywhere to its end, by exit codes that say how it was', async () => {
    await using server = await start();
    const report = await submitTo(server, 'report');
    const observed = await durable(['observe', report, '--after', '2', '--json']);
    expect(observed.exit).toBe(0);
    expect(observed.json).toMatchObject([3, 4, 5, 6].map((seq) => ({ seq })));

    const failed = await durable(['submit', `${server.url}/fail`, '--watch']);
    expect(failed.exit).toBe(1);
    expect(failed.stdout).toContain('No paper.');
    expect((await durable(['submit', `${server.url}/late`, '--watch'])).exit).toBe(4);

    const endless = await submitTo(server, 'endless');
    const watched = durable(['observe', endless]);
    const canceled = await durable(['cancel', endless, '--json']);
    expect(canceled.exit).toBe(0);
    expect(canceled.json).toMatchObject([{ intent_id: endless.split('/').at(-1) }]);
    expect((await watched).exit).toBe(3);
    expect(await durable(['cancel', report])).toMatchObject({
      exit: 5,
      stderr: expect.stringMatching(/^intent_terminal: /),
    });
  });

  it('that failed is done again by retry, as another one', async () => {
    await using server = await start();
    const failed = await submitTo(server, 'fail');
    await durable(['observe', failed]);
    const watched = await durable(['retry', failed, '--watch', '--json']);
    expect(watched.exit).toBe(1);
    const [fresh, created] = watched.json;
    expect(fresh).toMatchObject({ retried_from: failed.split('/').at(-1) });
    expect(Object(fresh).url).not.toBe(failed);
    expect(created).toMatchObject({ details: { retried_from: failed.split('/').at(-1) } });
    const report = await submitTo(server, 'report');
    await durable(['result', report]);
    expect(await durable(['retry', report])).toMatchObject({
      exit: 5,
      stderr: expect.stringMatching(/^intent_not_retryable: /),
    });
  });

  it('is shown by get, and its result byte for byte', async () => {
    await using server = await start();
    const report = await submitTo(server, 'report');
    await durable(['result', report]);
    const got = await durable(['get', report]);
    expect(got.stdout).toMatch(/^status {15}COMPLETED$/m);
    expect(got.stdout).toMatch(/^progress {13}\{"fraction":0.5/m);
    expect((await durable(['get', report, '--json'])).json).toMatchObject([
      { status: 'COMPLETED' },
    ]);

    const file = await submitTo(server, 'file');
    const program = fileURLToPath(new URL('../src/main.ts', import.meta.url));
    const args = ['--conditions=durable-source', program, 'result', file];
    const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] });
    const chunks: Buffer[] = [];
    child.stdout.on('data', (chunk: Buffer) => chunks.push(chunk));
    const [code] = await once(child, 'close');
    expect(code).toBe(0);
    expect(Array.from(Buffer.concat(chunks))).toEqual([0, 255, 10]);
  });

  it('that failed, was canceled or timed out has no result, but an exit code', async () => {
    await using server = await start();
    const failed = await durable(['result', await submitTo(server, 'fail')]);
    expect(failed).toMatchObject({ exit: 1, stderr: 'intent_failed: No paper.\n', stdout: '' });
    expect((await durable(['result', await submitTo(server, 'late')])).exit).toBe(4);
    const endless = await submitTo(server, 'endless');
    await durable(['cancel', endless]);
    expect((await durable(['result', endless])).exit).toBe(3);
  });
});

describe('durable', () => {
  it('says when there is no server, no intent, no patience left', async () => {
    const server = await start();
    const url = `${server.url}/report`;
    const unknown = await durable(['get', `${url}/0193aaaa-0000-7000-8000-000000000000`]);
    expect(unknown).toMatchObject({
      exit: 5,
      stderr: expect.stringMatching(/^intent_not_found: /),
    });
    const slow = await durable(['result', await submitTo(server, 'endless'), '--timeout', '1']);
    expect(slow.exit).toBe(6);
    const abort = new AbortController();
    const endless = await submitTo(server, 'endless');
    const interrupted = durable(['observe', endless], {
      signal: abort.signal,
      onStart: (stdout) =>
        void vi.waitFor(() => expect(stdout()).toContain('IN_PROGRESS')).then(() => abort.abort()),
    });
    expect((await interrupted).exit).toBe(130);
    await server.stop();
    const away = await durable(['get', url]);
    expect(away.exit).toBe(6);
    expect(away.stderr).toMatch(/Again in [\d.]+ s\.\nhttp:|network: GET/s);
  });

  it('explains itself', async () => {
    const all = await durable(['--help']);
    expect(all.exit).toBe(0);
    for (const name of [
      'submit',
      'observe',
      'get',
      'result',
      'list',
      'cancel',
      'retry',
      'migrate',
      'prune',
      'doctor',
    ]) {
      expect(all.stdout).toContain(`\n  ${name}`);
      const help = await durable([name, '--help']);
      expect(help.exit).toBe(0);
      expect(help.stdout).toContain('Examples:\n  durable ');
    }
    expect(await durable([])).toMatchObject({ exit: 0, stdout: all.stdout });
    for (const wrong of [
      ['frobnicate'],
      ['get'],
      ['get', 'a', 'b'],
      ['get', 'x', '--wat'],
      ['get', '::'],
      ['observe', 'localhost:1/a/b', '--after', 'x'],
    ]) {
      expect(await durable(wrong), wrong.join(' ')).toMatchObject({
        exit: 2,
        stderr: expect.stringMatching(/^UsageError: |^usage: /),
      });
    }
  });
});
