import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { eventListSchema, submittedSchema } from '@durable-api/protocol';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

const script = fileURLToPath(new URL('../../test/run-example.ts', import.meta.url));
let example: ChildProcess;
let origin = '';

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  if (address === null || typeof address === 'string') throw new Error('No port was given.');
  return address.port;
}

beforeAll(async () => {
  const port = await freePort();
  example = spawn(process.execPath, [script, 'nestjs'], {
    env: { ...process.env, PORT: String(port), STORE: 'memory:' },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  if (example.stdout === null) throw new Error('The example has no output.');
  const [line] = await once(createInterface(example.stdout), 'line');
  expect(line).toBe(`The report service listens on http://127.0.0.1:${port}`);
  origin = `http://127.0.0.1:${port}`;
}, 120_000);

afterAll(() => example.kill('SIGKILL'));

function post(path: string, body: unknown, headers: Record<string, string> = {}) {
  return fetch(origin + path, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body: JSON.stringify(body),
  });
}

describe('pnpm example nestjs', () => {
  it('builds a report durably, with its events and its result', async () => {
    const response = await post('/reports/generate', { quarter: 'Q3', seconds: 0.2, failures: 1 });
    expect(response.status).toBe(202);
    const { links } = submittedSchema.parse(await response.json());
    const stream = await fetch(origin + links.events, { headers: { accept: 'text/event-stream' } });
    const text = await stream.text();
    expect(text).toContain('event: intent.delivery_failed');
    expect(text).toContain('event: intent.progress');
    const list = await fetch(origin + links.events, { headers: { accept: 'application/json' } });
    expect(eventListSchema.parse(await list.json()).events.at(-1)?.status).toBe('COMPLETED');
    const result = await fetch(origin + links.result);
    expect(result.headers.get('content-type')).toBe('text/csv; charset=utf-8');
    expect(result.headers.get('content-disposition')).toBe('attachment; filename="Q3.csv"');
    expect(await result.text()).toMatch(/^region,orders,revenue,best_product\nAfrica,/);
  });

  it('keeps private reports to their tenant', async () => {
    expect((await post('/private/reports', { quarter: 'Q1' })).status).toBe(401);
    const headers = { authorization: 'Bearer tenant-a' };
    const response = await post('/private/reports', { quarter: 'Q1', seconds: 0 }, headers);
    const { links } = submittedSchema.parse(await response.json());
    expect((await fetch(origin + links.self)).status).toBe(401);
    const foreign = { authorization: 'Bearer tenant-b' };
    expect((await fetch(origin + links.self, { headers: foreign })).status).toBe(404);
    expect((await fetch(origin + links.self, { headers })).status).toBe(200);
  });

  it('refuses what is no report, and serves the page', async () => {
    expect((await post('/reports/generate', { quarter: 'Q9' })).status).toBe(400);
    const page = await fetch(`${origin}/`);
    expect(page.headers.get('content-type')).toContain('text/html');
    expect(await page.text()).toContain('page.js');
  });

  it('drains and ends when it is told to', async () => {
    const exited = once(example, 'exit');
    example.kill('SIGTERM');
    expect(await exited).toEqual([0, null]);
  });
});
