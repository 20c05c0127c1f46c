import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { eventListSchema, submittedSchema, type WireEvent } from '@durable-api/protocol';
import { afterAll, describe, expect, it } from 'vitest';
import { ServerInProcess } from './server-in-process.ts';

const folder = mkdtempSync(join(tmpdir(), 'durable-recovery-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const SCRIPT = 'examples/express-sqlite/server.ts';
const storeOf = (name: string): string => `sqlite:${join(folder, `${name}.db`)}`;

async function submit(server: ServerInProcess, seconds: number): Promise<string> {
  const response = await fetch(`${server.origin}/reports/generate`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ quarter: 'Q1', seconds }),
  });
  return submittedSchema.parse(await response.json()).links.events;
}

async function eventsOf(server: ServerInProcess, path: string): Promise<WireEvent[]> {
  const headers = { accept: 'application/json' };
  const response = await fetch(server.origin + path, { headers });
  return eventListSchema.parse(await response.json()).events;
}

const has = async (server: ServerInProcess, path: string, type: string, attempt: number) => {
  const events = await eventsOf(server, path);
  return events.some((event) => event.event_type === type && event.attempt === attempt);
};

/** What a loaded machine may add; together with the promise it is less than what a lease would take. */
const SLACK_MS = 3_500;

describe('on one SQLite file', () => {
  it('another process takes over within 2 s what a killed one was doing', async () => {
    const store = storeOf('two');
    await using first = await ServerInProcess.start({ script: SCRIPT, store });
    await using second = await ServerInProcess.start({ script: SCRIPT, store });
    const path = await submit(first, 3);
    await expect.poll(() => has(first, path, 'intent.progress', 1)).toBe(true);
    await first.kill();
    const killedAt = Date.now();
    await expect.poll(() => has(second, path, 'intent.completed', 2)).toBe(true);
    const events = await eventsOf(second, path);
    const resumed = events.find(({ event_type: type, attempt }) => {
      return type === 'intent.in_progress' && attempt === 2;
    });
    expect(Date.parse(resumed?.at ?? '') - killedAt).toBeLessThan(2_000 + SLACK_MS);
    expect(events.map(({ seq }) => seq)).toEqual(events.map((_, i) => i + 1));
  });

  it('a deploy hands work over at once and does not count as a failure', async () => {
    const store = storeOf('deploy');
    await using first = await ServerInProcess.start({ script: SCRIPT, store });
    await using second = await ServerInProcess.start({ script: SCRIPT, store });
    const path = await submit(first, 12);
    await expect.poll(() => has(first, path, 'intent.progress', 1)).toBe(true);
    const stopped = first.kill('SIGTERM');
    await stopped;
    await expect.poll(() => has(second, path, 'intent.in_progress', 2)).toBe(true);
    const snapshot = await fetch(second.origin + path.replace('/events', ''));
    expect(await snapshot.json()).toMatchObject({ status: 'IN_PROGRESS', attempt: 2 });
  });

  it('an observer of another process sees every event as it happens', async () => {
    const store = storeOf('observe');
    await using first = await ServerInProcess.start({ script: SCRIPT, store });
    await using second = await ServerInProcess.start({ script: SCRIPT, store });
    const path = await submit(first, 1);
    const headers = { accept: 'text/event-stream' };
    const text = await (await fetch(second.origin + path, { headers })).text();
    const seqs = [...text.matchAll(/^id: (\d+)$/gm)].map(([, seq]) => Number(seq));
    expect(seqs).toEqual((await eventsOf(first, path)).map(({ seq }) => seq));
    expect(text).toContain('event: intent.completed');
  });

  it('a cancel reaches a handler of another process within a second', async () => {
    const store = storeOf('cancel');
    await using first = await ServerInProcess.start({ script: SCRIPT, store });
    await using second = await ServerInProcess.start({ script: SCRIPT, store });
    const path = await submit(first, 60);
    await expect.poll(() => has(first, path, 'intent.progress', 1)).toBe(true);
    const answer = await fetch(second.origin + path.replace('/events', '/cancel'), {
      method: 'POST',
    });
    expect(answer.status).toBe(202);
    await expect.poll(() => has(second, path, 'intent.canceled', 1)).toBe(true);
    const events = await eventsOf(second, path);
    const at = (type: string): number =>
      Date.parse(events.find(({ event_type: is }) => is === type)?.at ?? '');
    expect(at('intent.canceled') - at('intent.cancel_requested')).toBeLessThan(1_000 + SLACK_MS);
  });
});
