import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { eventSchema, snapshotSchema, submittedSchema, type Links } from '@durable-api/protocol';
import { EventSourceParserStream } from 'eventsource-parser/stream';
import { afterAll, afterEach, beforeEach, expect, it } from 'vitest';
import { ServerInProcess } from '../server-in-process.ts';

const folder = mkdtempSync(join(tmpdir(), 'durable-example-fastify-'));
const ours = { authorization: 'Bearer tenant-a' };
let server: ServerInProcess;

beforeEach(async (test) => {
  const store = `sqlite:${join(folder, `${test.task.id}.db`)}`;
  server = await ServerInProcess.start({ script: 'examples/fastify/server.ts', store });
});
afterEach(() => server.kill());
afterAll(() => rmSync(folder, { recursive: true, force: true }));

async function submit(path: string, body: object, headers: object = {}): Promise<Links> {
  const response = await fetch(server.origin + path, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body: JSON.stringify(body),
  });
  expect(response.status).toBe(202);
  return submittedSchema.parse(await response.json()).links;
}

async function ended(links: Links): Promise<string> {
  for (;;) {
    const headers = { prefer: 'wait=10' };
    const response = await fetch(server.origin + links.self, { headers });
    const { status } = snapshotSchema.parse(await response.json());
    if (['COMPLETED', 'FAILED'].includes(status)) return status;
  }
}

it('makes a report, with progress, and serves it as a file', async () => {
  const links = await submit('/reports/generate', { quarter: 'Q3', seconds: 0.5, failures: 1 });
  const response = await fetch(server.origin + links.events);
  const seen: string[] = [];
  const events = response.body
    ?.pipeThrough(new TextDecoderStream())
    .pipeThrough(new EventSourceParserStream());
  for await (const { data } of events ?? []) {
    seen.push(eventSchema.parse(JSON.parse(data)).event_type);
  }
  expect(seen).toContain('intent.delivery_failed');
  expect(seen).toContain('intent.progress');
  expect(seen.at(-1)).toBe('intent.completed');
  const result = await fetch(server.origin + links.result);
  expect(result.headers.get('content-type')).toBe('text/csv; charset=utf-8');
  expect(result.headers.get('content-disposition')).toBe('attachment; filename="Q3.csv"');
  expect(await result.text()).toMatch(/^region,orders,revenue,best_product\nAfrica,/);
});

it('finishes a report after the server was killed in the middle of it', async () => {
  const links = await submit('/reports/generate', { quarter: 'Q1', seconds: 1 });
  const begun = async (): Promise<number> => {
    const response = await fetch(server.origin + links.self);
    return snapshotSchema.parse(await response.json()).progress?.fraction ?? 0;
  };
  await expect.poll(begun).toBeGreaterThan(0.2);
  await server.kill();
  await server.restart();
  expect(await ended(links)).toBe('COMPLETED');
});

it('keeps the private report to its tenant', async () => {
  const links = await submit('/private/reports', { quarter: 'Q2', seconds: 0 }, ours);
  for (const path of [links.self, links.events, links.result]) {
    expect((await fetch(server.origin + path)).status).toBe(401);
    const theirs = { authorization: 'Bearer tenant-b' };
    expect((await fetch(server.origin + path, { headers: theirs })).status).toBe(404);
  }
  expect((await fetch(server.origin + links.self, { headers: ours })).status).toBe(200);
});

it('answers a bad request as the handler always did, and serves the page', async () => {
  const links = await submit('/reports/generate', { quarter: 'Q9' });
  await ended(links);
  const result = await fetch(server.origin + links.result);
  expect(result.status).toBe(400);
  expect(await result.json()).toHaveProperty('error');
  expect(await (await fetch(server.origin)).text()).toContain('Quarterly report');
});

it('drains at SIGTERM and exits', async () => {
  const links = await submit('/reports/generate', { quarter: 'Q4', seconds: 1 });
  await server.kill('SIGTERM');
  await server.restart();
  const response = await fetch(server.origin + links.self);
  expect(snapshotSchema.parse(await response.json()).status).toBe('COMPLETED');
});
