import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DurableClient, type RetryNotice, type WireEvent } from '@durable-api/client';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Nginx, nginxPath } from '../packages/cli/test/nginx.ts';
import { ApiServer } from '../packages/client/test/api-server.ts';
import { ServerInProcess } from './server-in-process.ts';

if (nginxPath() === null && process.env['CI'] !== undefined) {
  throw new Error('These tests need nginx. Install Debian nginx.');
}

/** What Debian's own nginx.conf has beside the defaults that nginx is built with. */
const DEBIAN = 'sendfile on; tcp_nopush on; gzip on;';

describe.runIf(nginxPath() !== null)('the Express example behind nginx with its defaults', () => {
  const folder = mkdtempSync(join(tmpdir(), 'durable-nginx-example-'));
  let server: ServerInProcess;
  let nginx: Nginx;

  beforeAll(async () => {
    const store = `sqlite:${join(folder, 'operations.db')}`;
    server = await ServerInProcess.start({ script: 'examples/express-sqlite/server.ts', store });
    nginx = await Nginx.start(Number(new URL(server.origin).port), DEBIAN);
  });
  afterAll(async () => {
    await nginx[Symbol.asyncDispose]();
    await server.kill();
    rmSync(folder, { recursive: true, force: true });
  });

  it('sends its events one by one', async () => {
    await using client = new DurableClient(nginx.url);
    const report = await client.submit('/reports/generate', { quarter: 'Q3', seconds: 6 });
    const arrivals: number[] = [];
    for await (const { event_type: type } of report.observe()) {
      if (type === 'intent.progress') arrivals.push(performance.now());
    }
    // 30 parts of 200 ms: events that something gathers arrive together.
    const alone = arrivals.filter((at, i) => at - (arrivals[i - 1] ?? 0) > 50);
    expect(arrivals.length).toBeGreaterThan(10);
    expect(alone.length).toBeGreaterThan(arrivals.length * 0.5);
    expect(await report.result()).toContain('region,orders');
  }, 60_000);

  it.concurrent('keeps a stream that is quiet for 75 s, over its proxy_read_timeout of 60 s', async () => {
    const notices: RetryNotice[] = [];
    await using client = new DurableClient(nginx.url, {
      onRetry: (notice) => void notices.push(notice),
    });
    // The first of its 30 parts takes 75 s.
    const report = await client.submit('/reports/generate', { quarter: 'Q3', seconds: 2_250 });
    const seen: WireEvent[] = [];
    for await (const event of report.observe()) {
      seen.push(event);
      if (event.event_type === 'intent.progress') await report.cancel();
    }
    expect(seen.map(({ seq }) => seq)).toEqual(seen.map((_, i) => i + 1));
    expect(seen.at(-1)?.status).toBe('CANCELED');
    const gaps = seen.map(({ at }, i) => Date.parse(at) - Date.parse(seen[i - 1]?.at ?? at));
    expect(Math.max(...gaps)).toBeGreaterThan(70_000);
    expect(notices).toEqual([]);
  }, 180_000);

  it.concurrent('is cut there without heartbeats, and the client goes on by itself', async () => {
    const release = Promise.withResolvers<void>();
    await using quiet = await ApiServer.start({
      operations: { report: () => release.promise },
      options: { observe: { heartbeatMs: 300_000 } },
    });
    await using proxy = await Nginx.start(quiet.port, DEBIAN);
    const notices: RetryNotice[] = [];
    await using client = new DurableClient(proxy.url, {
      heartbeatMs: 300_000,
      onRetry(notice) {
        notices.push(notice);
        release.resolve();
      },
    });
    const operation = await client.submit('/report', {});
    const since = performance.now();
    const events: WireEvent[] = [];
    for await (const event of operation.observe()) events.push(event);
    expect(performance.now() - since).toBeGreaterThan(59_000);
    expect(notices).toMatchObject([{ error: { code: 'network' } }]);
    expect(events.map(({ seq }) => seq)).toEqual(events.map((_, i) => i + 1));
    expect(events.at(-1)?.status).toBe('COMPLETED');
  }, 180_000);
});
