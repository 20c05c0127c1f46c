import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { freePort } from '../free-port.ts';
import { AgentProcess, type Program } from './agent-process.ts';
import { isHere } from './languages.ts';

const SERVER: Program = {
  command: process.execPath,
  args: ['--conditions=durable-source', 'server.ts'],
};

describe.runIf(isHere('python3'))('a route whose worker is the agent in Python', () => {
  it('answers what the agent hands in, though the server is killed half-way', async () => {
    const url = `http://127.0.0.1:${await freePort()}`;
    const database = join(mkdtempSync(join(tmpdir(), 'agents-')), 'agents.db');
    const start = async (what: Program, env: Record<string, string>): Promise<AgentProcess> => {
      const started = new AgentProcess(what, env);
      onTestFinished(() => started.kill());
      await expect.poll(() => started.output).toMatch(/listen/);
      return started;
    };
    const serve = () => start(SERVER, { PORT: new URL(url).port, DATABASE: database });
    const server = await serve();
    const agent = await start({ command: 'python3', args: ['agent.py'] }, { GATEWAY_URL: url });
    const submitted = await fetch(`${url}/reports`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ quarter: 'Q3', seconds: 2 }),
    });
    expect(submitted.status).toBe(202);
    const intent = new URL(String(submitted.headers.get('location')), url);
    await expect.poll(() => agent.output).toMatch(/1 s of work/);
    await server.kill();
    await serve();
    await expect.poll(() => agent.output).toMatch(/handed in/);
    const snapshot = async (): Promise<unknown> => (await fetch(intent)).json();
    await expect.poll(snapshot).toMatchObject({ status: 'COMPLETED' });
    expect(await (await fetch(`${intent.href}/result`)).json()).toEqual({
      action: 'complete',
      report_url: 'https://reports.example/Q3.pdf',
      language: 'Python',
    });
  });
});
