import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Browser, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { ServerInProcess } from '../server-in-process.ts';
import { chromiumPath, launchChromium } from './chromium.ts';
import { barInScreenshot } from './screenshot.ts';

const path = chromiumPath();
if (path === null) {
  const advice = 'Install Debian chromium, or set CHROMIUM_PATH.';
  console.warn(`SKIPPED: the browser tests need Chromium. ${advice}`);
  if (process.env['CI']) throw new Error(`The browser tests need Chromium. ${advice}`);
}

describe.runIf(path !== null)('the page of the Express example in Chromium', () => {
  const folder = mkdtempSync(join(tmpdir(), 'durable-browser-'));
  let browser: Browser;
  let page: Page;
  let server: ServerInProcess;

  beforeAll(async () => {
    browser = await launchChromium(path ?? '');
  });
  beforeEach(async (test) => {
    const store = `sqlite:${join(folder, `${test.task.id}.db`)}`;
    server = await ServerInProcess.start({ script: 'examples/express-sqlite/server.ts', store });
    page = await browser.newPage();
    await page.goto(server.origin);
  });
  afterEach(async () => {
    await page.close();
    await server.kill();
  });
  afterAll(async () => {
    await browser.close();
    rmSync(folder, { recursive: true, force: true });
  });

  const generate = async (seconds: number, failures = 0): Promise<void> => {
    await page.fill('[name=seconds]', String(seconds));
    await page.fill('[name=failures]', String(failures));
    await page.click('text=Generate');
  };
  const progress = (): Promise<number> =>
    page.$eval('#progress', (bar) => (bar instanceof HTMLProgressElement ? bar.value : NaN));
  const seqs = (): Promise<number[]> =>
    page.$$eval('#events li', (items) =>
      items.map((item) => (item instanceof HTMLLIElement ? item.value : NaN)),
    );
  const ends = (): Promise<void> => page.waitForSelector('#result:not([hidden])').then(() => {});

  it('shows progress while the report is made, then the report', async () => {
    await generate(2);
    await expect.poll(progress).toBeGreaterThan(0.2);
    expect(await progress()).toBeLessThan(1);
    await ends();
    expect(await page.textContent('#status')).toBe('COMPLETED');
    const report = await page.evaluate(async () => {
      const link = document.querySelector<HTMLAnchorElement>('#result');
      return (await fetch(link?.href ?? '')).text();
    });
    expect(report).toMatch(/^region,orders,revenue,best_product\nAfrica,/);
  });

  it('shows a bar that a person sees grow', async () => {
    const bar = page.locator('#progress');
    await generate(5);
    const widths: number[] = [];
    for (const least of [0.1, 0.4, 0.7, 1]) {
      await expect.poll(progress).toBeGreaterThanOrEqual(least);
      const before = await progress();
      const seen = await barInScreenshot(page, bar);
      const after = await progress();
      expect(seen.height).toBeGreaterThanOrEqual(10);
      expect(seen.width).toBeGreaterThanOrEqual(400);
      expect(seen.filled).toBeGreaterThanOrEqual((before - 0.03) * seen.width);
      expect(seen.filled).toBeLessThanOrEqual((after + 0.03) * seen.width);
      expect(await page.textContent('#percent')).toMatch(/^\d+ %$/);
      widths.push(seen.filled);
      const shots = process.env['SCREENSHOTS'];
      if (shots !== undefined) await page.screenshot({ path: join(shots, `page-${least}.png`) });
    }
    expect(widths).toEqual([...new Set(widths)].sort((a, b) => a - b));
    expect(await page.textContent('#percent')).toBe('100 %');
  });

  it('finds its operation again when it is loaded again', async () => {
    await generate(3);
    await expect.poll(progress).toBeGreaterThan(0.1);
    const seen = await seqs();
    await page.reload();
    await ends();
    const all = await seqs();
    expect(all).toEqual(all.map((_, i) => i + 1));
    expect(all.length).toBeGreaterThan(seen.length);
  });

  it('goes on by itself when the server is killed half-way and started again', async () => {
    await generate(3);
    await expect.poll(progress).toBeGreaterThan(0.4);
    await server.kill();
    await server.restart();
    await ends();
    const seen = await seqs();
    expect(seen).toEqual(seen.map((_, i) => i + 1));
    expect(await page.textContent('#events')).toContain('intent.delivery_failed');
  });

  it('shows failed attempts and the retry that succeeds', async () => {
    await generate(0, 1);
    await ends();
    expect(await page.textContent('#events')).toContain('Attempt 1 fails, as asked.');
  });

  it('cancels', async () => {
    await generate(30);
    await expect.poll(progress).toBeGreaterThan(0);
    await page.click('#cancel');
    await expect.poll(() => page.textContent('#status')).toBe('CANCELED');
  });

  it('stops asking after the end: a reconnect is answered 204 and not repeated', async () => {
    await generate(0);
    await ends();
    const readyState = await page.evaluate(async () => {
      const link = document.querySelector<HTMLAnchorElement>('#result');
      const last = document.querySelectorAll('#events li').length;
      const source = new EventSource(link?.href.replace('/result', `/events?since=${last}`) ?? '');
      await new Promise((resolve) => source.addEventListener('error', resolve));
      return source.readyState;
    });
    expect(readyState).toBe(2);
  });
});
