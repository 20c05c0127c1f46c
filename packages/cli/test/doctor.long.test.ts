import { once } from 'node:events';
import { describe, expect, it } from 'vitest';
import { ApiServer, type ApiServerSetup } from '../../client/test/api-server.ts';
import { Nginx, nginxPath } from './nginx.ts';
import { durable, type Said } from './test-terminal.ts';

if (nginxPath() === null && process.env['CI'] !== undefined) {
  throw new Error('The tests of the doctor need nginx. Install Debian nginx.');
}

const start = (setup: Partial<ApiServerSetup> = {}): Promise<ApiServer> =>
  ApiServer.start({
    operations: {
      long: (_, { signal }) => once(signal, 'abort'),
      short: () => null,
    },
    options: { observe: { heartbeatMs: 15_000 } },
    ...setup,
  });

const examine = (url: string, ...args: string[]): Promise<Said> =>
  durable(['doctor', `${url}/long`, '--data', '{}', '--seconds', '2', '--json', ...args]);

const found = (check: string, level: string, message = ''): unknown =>
  expect.objectContaining({ check, level, message: expect.stringContaining(message) });

describe('durable doctor', () => {
  it('finds nothing broken without anything in between', async () => {
    await using server = await start();
    const said = await examine(server.url);
    expect(said.exit).toBe(0);
    expect(said.json).toEqual([
      found('HTTP version', 'warn', 'six connections'),
      found('buffering', 'ok'),
      found('compression', 'ok'),
      found('cache-control', 'ok'),
      found('idle timeout', 'ok', 'Open for 2'),
    ]);
  });

  it('says that an operation which has ended shows little', async () => {
    await using server = await start();
    const { stdout } = await durable(['submit', `${server.url}/short`, '--watch']);
    const [url = ''] = stdout.split('\n');
    const said = await durable(['doctor', url]);
    expect(said.stdout).toContain('skip idle timeout: The operation has ended');
  });

  it('finds what CORS forbids and hides', async () => {
    const allowing =
      (expose: string): NonNullable<ApiServerSetup['before']> =>
      ({ method, headers }, res) => {
        res.setHeader('access-control-allow-origin', '*');
        res.setHeader('access-control-expose-headers', expose);
        res.setHeader(
          'access-control-allow-headers',
          expose === '' ? 'content-type' : `${headers['access-control-request-headers']}`,
        );
        if (method === 'OPTIONS') res.writeHead(204).end();
        return method === 'OPTIONS';
      };
    const origin = ['--origin', 'https://app.example'];
    await using closed = await start();
    expect((await examine(closed.url, ...origin)).json).toContainEqual(
      found('CORS', 'fail', 'cors('),
    );
    await using half = await start({ before: allowing('') });
    const halfOpen = await examine(half.url, ...origin);
    expect(halfOpen.exit).toBe(1);
    expect(halfOpen.json).toContainEqual(found('CORS', 'fail', 'idempotency-key, prefer'));
    expect(halfOpen.json).toContainEqual(found('CORS exposure', 'warn', 'etag, intent-id'));
    await using open = await start({ before: allowing('ETag, Intent-Id, Location, Retry-After') });
    const fine = await examine(open.url, ...origin);
    expect(fine.exit).toBe(0);
    expect(fine.json).toContainEqual(found('CORS exposure', 'ok'));
  });

  it('says that there is no such operation', async () => {
    await using server = await start();
    const said = await durable([
      'doctor',
      `${server.url}/long/0193aaaa-0000-7000-8000-000000000000`,
    ]);
    expect(said).toMatchObject({ exit: 5, stderr: expect.stringMatching(/^intent_not_found/) });
  });
});

describe.runIf(nginxPath() !== null)('durable doctor behind nginx', () => {
  it('finds nothing broken with nginx’s defaults', async () => {
    await using server = await start();
    await using nginx = await Nginx.start(server.port);
    expect((await examine(nginx.url)).exit).toBe(0);
  });

  it('finds buffering', async () => {
    await using server = await start();
    await using nginx = await Nginx.start(server.port, 'proxy_ignore_headers X-Accel-Buffering;');
    const said = await examine(nginx.url);
    expect(said.exit).toBe(1);
    expect(said.json).toContainEqual(found('buffering', 'fail', 'proxy_buffering off'));
  });

  it('finds compression', async () => {
    await using server = await start();
    const gzip = 'gzip on; gzip_types text/event-stream; gzip_http_version 1.0; gzip_min_length 0;';
    await using nginx = await Nginx.start(server.port, `${gzip} gzip_proxied any;`);
    const said = await examine(nginx.url);
    expect(said.exit).toBe(1);
    expect(said.json).toContainEqual(found('compression', 'fail', 'gzip'));
  });

  it('finds a short idle timeout', async () => {
    await using server = await start();
    await using nginx = await Nginx.start(server.port, 'proxy_read_timeout 1s;');
    const said = await examine(nginx.url, '--seconds', '5');
    expect(said.exit).toBe(1);
    expect(said.json).toContainEqual(found('idle timeout', 'fail', 'proxy_read_timeout'));
  });
});
