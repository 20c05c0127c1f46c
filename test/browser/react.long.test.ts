import { once } from 'node:events';
import { NonRetryableError } from '@durable-api/core';
import type { Browser, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { ApiServer } from '../../packages/client/test/api-server.ts';
import { bundleForBrowsers } from './bundle.ts';
import { chromiumPath, launchChromium } from './chromium.ts';

const path = chromiumPath();
if (path === null && process.env['CI']) throw new Error('The browser tests need Chromium.');

const VERSIONS = [
  ['19', {}],
  ['18', { react: 'react18', 'react-dom': 'react-dom18' }],
] as const;

describe.runIf(path !== null).each(VERSIONS)('useOperation in React %s', (version, alias) => {
  let browser: Browser;
  let page: Page;
  let code: string;
  let server: ApiServer;
  let release: PromiseWithResolvers<void>;
  let closedStreams = 0;

  beforeAll(async () => {
    browser = await launchChromium(path ?? '');
    code = await bundleForBrowsers('./react-app.ts', undefined, alias);
  });
  afterAll(() => browser.close());
  beforeEach(async () => {
    release = Promise.withResolvers();
    closedStreams = 0;
    server = await ApiServer.start({
      operations: {
        report: async (body, context) => {
          context.progress(0.5);
          await release.promise;
          return { made: `Report ${Object(body).name}` };
        },
        fail: () => {
          throw new NonRetryableError('No paper.');
        },
        endless: (_, { signal }) => once(signal, 'abort').then(() => signal.throwIfAborted()),
      },
      before: ({ url = '' }, res) => {
        const isPage = url === '/' || url.startsWith('/?');
        if (url.endsWith('/events')) res.on('close', () => void (closedStreams += 1));
        if (!isPage && url !== '/app.js') return false;
        res.setHeader('content-type', isPage ? 'text/html' : 'text/javascript');
        res.end(
          isPage
            ? '<!doctype html><div id=root></div><script type=module src=app.js></script>'
            : code,
        );
        return true;
      },
    });
    page = await browser.newPage();
  });
  afterEach(async () => {
    release.resolve();
    await page.close();
    await server.stop();
  });

  const text = (id: string): Promise<string | null> => page.textContent(`#${id}`);

  it('submits, shows progress while it is made, then the result', async () => {
    await page.goto(server.url);
    expect(await text('version')).toMatch(new RegExp(`^${version}\\.`));
    expect(await text('status')).toBe('none');
    await page.click('#submit');
    await expect.poll(() => text('status')).toBe('IN_PROGRESS');
    const bar = page.locator('#progress');
    await expect.poll(() => bar.getAttribute('value')).toBe('0.5');
    expect((await page.screenshot()).length).toBeGreaterThan(1_000);
    release.resolve();
    await expect.poll(() => text('result')).toBe('Report Q3');
    expect(await text('status')).toBe('COMPLETED');
    expect(await text('events')).toBe('123456');
    expect(await text('url')).toContain(`${server.url}/report/`);
    expect([...server.data.entries.keys()]).toHaveLength(1);
  });

  it('shows why an operation failed, and why a submit did', async () => {
    await page.goto(`${server.url}/?path=/fail`);
    await page.click('#submit');
    await expect.poll(() => text('error')).toBe('OperationFailedError: No paper.');
    expect(await text('status')).toBe('FAILED');
    await page.goto(`${server.url}/?path=/nowhere`);
    await page.click('#submit');
    await expect.poll(() => text('error')).toContain('DurableClientError');
    expect(await text('status')).toBe('none');
  });

  it('cancels', async () => {
    await page.goto(`${server.url}/?path=/endless`);
    await page.click('#submit');
    await expect.poll(() => text('status')).toBe('IN_PROGRESS');
    await page.click('#cancel');
    await expect.poll(() => text('status')).toBe('CANCELED');
    await expect.poll(() => text('error')).toContain('OperationCanceledError');
    await page.click('#cancel');
    expect(await text('status')).toBe('CANCELED');
  });

  it('shows the second of two submits, and nothing of the first', async () => {
    await page.goto(`${server.url}/?path=/endless`);
    await page.click('#submit');
    await expect.poll(() => text('status')).toBe('IN_PROGRESS');
    const first = await text('url');
    await page.click('#submit');
    await expect.poll(() => text('url')).not.toBe(first);
    await expect.poll(() => text('events')).toBe('1234');
    await expect.poll(() => closedStreams).toBeGreaterThan(0);
    await page.click('#cancel');
    await expect.poll(() => text('status')).toBe('CANCELED');
    const [one, two] = [...server.data.entries.values()].map(({ record }) => record.status);
    expect([one, two]).toEqual(['IN_PROGRESS', 'CANCELED']);
  });

  it('attaches to a handle, once for all the handles of one URL', async () => {
    const submitted = await fetch(`${server.url}/report`, { method: 'POST' });
    const url = `${server.url}${submitted.headers.get('location')}`;
    await page.goto(`${server.url}/?attach=${encodeURIComponent(url)}`);
    await expect.poll(() => text('attached')).toBe('IN_PROGRESS 1,2,3,4,5 0');
    for (let i = 0; i < 3; i += 1) await page.click('#attached');
    await expect.poll(() => text('attached')).toBe('IN_PROGRESS 1,2,3,4,5 3');
    // Strict mode mounts twice, which is one stream that is closed and one that stays.
    expect(server.count('GET', /events$/)).toBeLessThanOrEqual(2);
    release.resolve();
    await expect.poll(() => text('attached')).toBe('COMPLETED 1,2,3,4,5,6 3');
  });

  it('lets go of its stream when its component goes, while the operation goes on', async () => {
    await page.goto(server.url);
    await page.click('#submit');
    await expect.poll(() => text('status')).toBe('IN_PROGRESS');
    await expect.poll(() => server.count('GET', /events$/)).toBeGreaterThan(0);
    await page.click('#hide');
    await expect.poll(() => closedStreams).toBe(server.count('GET', /events$/));
    release.resolve();
    await expect
      .poll(() => [...server.data.entries.values()].map(({ record }) => record.status))
      .toEqual(['COMPLETED']);
  });
});
