import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { AgentClient } from '@durable-api/client/agent';
import { afterEach, expect, it } from 'vitest';
import { AgentProcess } from '../agents/agent-process.ts';
import { freePort } from '../free-port.ts';

const BUNDLE = new URL('../../examples/agents/scenario.json', import.meta.url);
const run = (script: string) => ({
  command: process.execPath,
  args: ['--conditions=durable-source', script],
});

const folder = mkdtempSync(join(tmpdir(), 'durable-example-agents-'));
const processes: AgentProcess[] = [];
afterEach(async () => {
  for (const each of processes.splice(0)) await each.kill();
  rmSync(folder, { recursive: true, force: true });
});

it('the scenario of the example is valid, is applied, and ends with what its agent made', async () => {
  const url = `http://127.0.0.1:${await freePort()}`;
  const env = { PORT: new URL(url).port, DATABASE: join(folder, 'agents.db'), GATEWAY_URL: url };
  const gateway = new AgentProcess(run('server.ts'), env);
  processes.push(gateway, new AgentProcess(run('agent.ts'), env));
  await expect.poll(() => gateway.output).toMatch(/listens on/);

  const bundle: { intent: { payload: object } } = JSON.parse(readFileSync(BUNDLE, 'utf8'));
  const payload = { ...bundle.intent.payload, seconds: 0 };
  const body = JSON.stringify({ ...bundle, intent: { ...bundle.intent, payload } });
  const post = async (call: string): Promise<Record<string, unknown>> => {
    const headers = { 'content-type': 'application/json' };
    const answer = await fetch(`${url}/v1/scenarios/${call}`, { method: 'POST', headers, body });
    expect(answer.status).toBe(200);
    return JSON.parse(await answer.text());
  };
  expect(await post('validate')).toMatchObject({ valid: true, errors: [] });
  const applied = await post('apply');
  expect(applied).toMatchObject({ agents: [{ role: 'report_service', created: true }] });

  const client = new AgentClient(url);
  const { status, result } = await client.waitFor(String(applied['intent_id']));
  expect(status).toBe('COMPLETED');
  expect(result).toMatchObject({ report_url: 'https://reports.example/Q3.pdf' });
  await client.close();
});
