import { createServer, type Server, type ServerResponse, type IncomingMessage } from 'node:http';
import { gzipSync } from 'node:zlib';
import { once } from 'node:events';
import { DurableClient } from '@durable-api/client';
import type { Browser, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { ApiServer } from '../../packages/client/test/api-server.ts';
import { FaultProxy } from '../../packages/client/test/fault-proxy.ts';
import { storeFinished } from '../../packages/client/test/finished-intent.ts';
import { bundleForBrowsers } from './bundle.ts';
import { chromiumPath, launchChromium } from './chromium.ts';
import { operations } from './client-operations.ts';
import { useClient, type observeSeqs, type observeWithNotices } from './client-scenario.ts';

declare const scenario: {
  useClient: typeof useClient;
  observeSeqs: typeof observeSeqs;
  observeWithNotices: typeof observeWithNotices;
};

const path = chromiumPath();
if (path === null && process.env['CI']) throw new Error('The browser tests need Chromium.');

/** Bytes between two cuts within one event; 10 makes 10,000 reconnects. */
const STEP = Number(process.env['CUT_STEP'] ?? (process.env['CI'] === undefined ? 50 : 10));

const inOrder = (count: number): number[] => Array.from({ length: count }, (_, i) => i + 1);

/** What an app's CORS middleware does; `expose` are the headers that scripts may read. */
function cors(expose: string): (req: IncomingMessage, res: ServerResponse) => boolean {
  return ({ method, headers }, res) => {
    res.setHeader('access-control-allow-origin', headers.origin ?? '*');
    if (expose !== '') res.setHeader('access-control-expose-headers', expose);
    if (method !== 'OPTIONS') return false;
    res.setHeader('access-control-allow-headers', headers['access-control-request-headers'] ?? '');
    res.writeHead(204).end();
    return true;
  };
}

const EXPOSED = 'ETag, Intent-Id, Location, Retry-After, Preference-Applied, Idempotency-Replayed';

describe('the browser bundle of the client', () => {
  it('has at most 12 KiB when gzipped, and no zod', async () => {
    const code = await bundleForBrowsers('../../packages/client/src/index.ts');
    expect(gzipSync(code, { level: 9 }).length).toBeLessThanOrEqual(12 * 1_024);
    expect(code).not.toMatch(/zod/i);
    expect(code).not.toMatch(/undici/i);
  });
});

describe.runIf(path !== null)('the client in Chromium', () => {
  let browser: Browser;
  let page: Page;
  let pages: Server;

  beforeAll(async () => {
    browser = await launchChromium(path ?? '');
    const code = await bundleForBrowsers('./client-scenario.ts', 'scenario');
    pages = createServer((req, res) => {
      const isCode = req.url === '/scenario.js';
      res.setHeader('content-type', isCode ? 'text/javascript' : 'text/html');
      res.end(isCode ? code : '<!doctype html><script src="scenario.js"></script>');
    });
    pages.listen(0, '127.0.0.1');
    await once(pages, 'listening');
  });
  beforeEach(async () => {
    page = await browser.newPage();
    const address = pages.address();
    const port = typeof address === 'object' ? address?.port : undefined;
    await page.goto(`http://127.0.0.1:${port}/`);
  });
  afterEach(() => page.close());
  afterAll(async () => {
    await browser.close();
    pages.close();
  });

  it.each([
    ['headers exposed', EXPOSED],
    ['all headers hidden', ''],
  ])('sees across origins what it sees in Node, with %s', async (_, expose) => {
    await using server = await ApiServer.start({ operations, before: cors(expose) });
    const inNode = await useClient(server.url);
    expect(inNode).toMatchObject({
      first: [
        '1 intent.created CREATED',
        '2 intent.submitted SUBMITTED',
        '3 intent.delivered DELIVERED',
        '4 intent.in_progress IN_PROGRESS',
        '5 intent.progress IN_PROGRESS',
        '6 intent.completed COMPLETED',
      ],
      fractions: [0.5],
      result: { quarter: 'Q3' },
      early: { received: { now: true } },
      attachedAgain: { quarter: 'Q3' },
      failure: { name: 'OperationFailedError', code: 'intent_failed', message: 'No paper.' },
      canceled: { name: 'OperationCanceledError', code: 'intent_canceled' },
      abortReason: 'enough',
      key: true,
    });
    const inChromium = await page.evaluate((url) => scenario.useClient(url), server.url);
    expect(inChromium).toEqual(inNode);
  });

  it('has a ticket by which a plain EventSource observes, which sends no credentials', async () => {
    await using server = await ApiServer.start({
      operations,
      before: cors(EXPOSED),
      options: {
        tickets: { secret: 'a secret that all processes share' },
        identify: ({ headers }) => headers.authorization ?? '',
      },
    });
    await using client = new DurableClient(server.url, { headers: { authorization: 'alice' } });
    const operation = await client.submit('/report', { quarter: 'Q3' });
    const url = await operation.eventSourceUrl();
    const observe = (from: string): Promise<readonly string[]> =>
      page.evaluate(
        (at) =>
          new Promise((resolve) => {
            const source = new EventSource(at);
            const ids: string[] = [];
            const end = (): void => {
              source.close();
              resolve(ids);
            };
            source.addEventListener('intent.progress', ({ lastEventId }) => ids.push(lastEventId));
            source.addEventListener('intent.completed', ({ lastEventId }) => {
              ids.push(lastEventId);
              end();
            });
            source.addEventListener('error', end);
          }),
        from,
      );
    expect(await observe(url)).toEqual(['5', '6']);
    expect(await observe(url)).toEqual([]);
    expect(await observe(url.replace(/\?.*/, ''))).toEqual([]);
  });

  it('misses and doubles nothing when its streams are cut at every offset of their frames', async () => {
    await using server = await ApiServer.start({
      operations,
      before: cors(EXPOSED),
      options: { limits: { maxObserversPerIntent: 1_000 } },
    });
    const id = await storeFinished(server.data, 'report', 200);
    await using proxy = await FaultProxy.start(server.port);
    let seen = 0;
    let seenAtCut = 0;
    let cutAt = 0;
    await page.exposeFunction('sawSeq', (seq: number) => (seen = seq));
    proxy.fallback = () => {
      const isNext = seen > seenAtCut;
      cutAt = isNext ? seen % STEP : cutAt + STEP;
      seenAtCut = seen;
      return { cutAfterBytes: cutAt, behindHead: true };
    };
    const seqs = await page.evaluate(
      (url) => scenario.observeSeqs(url, Reflect.get(globalThis, 'sawSeq')),
      `${proxy.url}/report/${id}`,
    );
    expect(seqs).toEqual(inOrder(200));
    expect(proxy.connectionCount).toBeGreaterThan(100_000 / STEP);
  }, 600_000);

  it('does not take an answer that was cut in its head for one of something else', async () => {
    await using server = await ApiServer.start({ operations, before: cors(EXPOSED) });
    const id = await storeFinished(server.data, 'report', 6);
    await using proxy = await FaultProxy.start(server.port);
    proxy.faults.push(...inOrder(900).map((cutAfterBytes) => ({ cutAfterBytes })));
    const seqs = await page.evaluate(
      (url) => scenario.observeSeqs(url),
      `${proxy.url}/report/${id}`,
    );
    expect(seqs).toEqual(inOrder(6));
  });

  it('goes on at once when the machine is back online', async () => {
    const release = Promise.withResolvers<void>();
    await using server = await ApiServer.start({
      operations: { report: () => release.promise },
      before: cors(EXPOSED),
    });
    await using proxy = await FaultProxy.start(server.port);
    const url = `${proxy.url}/report`;
    const accepted = await fetch(url, { method: 'POST' });
    const self = `${proxy.url}${accepted.headers.get('location')}`;
    const observed = page.evaluate((at) => scenario.observeWithNotices(at), self);
    await vi.waitFor(() => expect(server.count('GET', /events/)).toBe(1));
    await page.context().setOffline(true);
    proxy.cut();
    release.resolve();
    await page.waitForFunction(() => !navigator.onLine);
    await page.context().setOffline(false);
    expect(await observed).toEqual({ seqs: inOrder(5), codes: ['network'] });
  });
});
