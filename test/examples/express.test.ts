import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DurableClient } from '@durable-api/client';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { ServerInProcess } from '../server-in-process.ts';

let folder: string;
let server: ServerInProcess;

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'durable-example-express-'));
  const store = `sqlite:${join(folder, 'operations.db')}`;
  server = await ServerInProcess.start({ script: 'examples/express-sqlite/server.ts', store });
});
afterEach(async () => {
  await server.kill();
  rmSync(folder, { recursive: true, force: true });
});

it('makes the report of a year of four that it starts, each once, though it is killed on the way', async () => {
  const client = new DurableClient(server.origin);
  const year = await client.submit('/reports/year', { seconds: 2 });
  const started: unknown[] = [];
  for await (const event of year.observe()) {
    if (event.event_type === 'intent.child_started') started.push(event.details?.['intent_id']);
    if (started.length === 4 && event.event_type === 'intent.waiting') break;
  }
  await server.kill();
  await server.restart();
  const csv = String(await year.result());
  expect(csv.match(/^# Q\d$/gm)).toEqual(['# Q1', '# Q2', '# Q3', '# Q4']);
  const quarter = client.operation(`/reports/generate/${String(started[0])}`);
  expect(await quarter.get()).toMatchObject({
    status: 'COMPLETED',
    parent_intent_id: year.intentId,
  });
});

it('makes one private report of a tenant at a time', async () => {
  const headers = { authorization: 'Bearer tenant-a' };
  const client = new DurableClient(server.origin, { headers });
  const first = await client.submit('/private/reports', { seconds: 1 });
  const second = await client.submit('/private/reports', { seconds: 1 });
  const at = async (report: typeof first, type: string): Promise<string> => {
    for await (const event of report.observe()) if (event.event_type === type) return event.at;
    return 'never';
  };
  const endedAt = await at(first, 'intent.completed');
  expect(endedAt <= (await at(second, 'intent.in_progress'))).toBe(true);
  await second.result();
});
