import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { AgentClient } from '@durable-api/client/agent';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { freePort } from '../free-port.ts';
import { AgentProcess, type Program } from './agent-process.ts';
import { isHere, LANGUAGES } from './languages.ts';

const ADMIN_KEY = 'an admin key of the tests';
const GATEWAY: Program = {
  command: process.execPath,
  args: ['--conditions=durable-source', 'server.ts'],
};

const present = LANGUAGES.filter(({ tool }) => isHere(tool));
const missing = LANGUAGES.filter((language) => !present.includes(language));
// oxlint-disable-next-line no-console -- so that nobody takes it for tested
for (const { name, tool } of missing)
  console.warn(`No ${tool} here: the ${name} agent is not run.`);

const steps = (output: string, what: RegExp): number =>
  output.match(new RegExp(what, 'g'))?.length ?? 0;

describe.each(present)('the agent in $name', ({ name, build }) => {
  const processes: AgentProcess[] = [];
  let program: Program;
  let client: AgentClient;
  let startGateway: () => Promise<AgentProcess>;
  let startAgent: () => Promise<AgentProcess>;
  const address = `acme/production/${name.toLowerCase()}-service`;

  beforeAll(async () => {
    program = build();
    const port = await freePort();
    const url = `http://127.0.0.1:${port}`;
    const database = join(mkdtempSync(join(tmpdir(), 'agents-')), 'agents.db');
    client = new AgentClient(url, { apiKey: ADMIN_KEY, retries: 50, backoff: { maxMs: 500 } });
    const start = async (what: Program, env: Record<string, string>): Promise<AgentProcess> => {
      const started = new AgentProcess(what, env);
      processes.push(started);
      await vi.waitFor(() => expect(started.output).toMatch(/listen/), 30_000);
      return started;
    };
    startGateway = () => start(GATEWAY, { PORT: String(port), DATABASE: database, ADMIN_KEY });
    const gateway = await startGateway();
    const apiKey = await agentKey(url, address);
    startAgent = () =>
      start(program, {
        GATEWAY_URL: url,
        API_KEY: apiKey,
        AGENT: address,
      });
    await gateway.kill();
  }, 120_000);
  afterAll(async () => {
    await Promise.all(processes.map((one) => one.kill()));
    await client.close();
  });

  it('does its work once, though it and the gateway are killed half-way', async () => {
    let gateway = await startGateway();
    const first = await startAgent();
    const id = await client.sendIntent({
      intentType: 'report.generate.v1',
      toAgent: address,
      payload: { quarter: 'Q3', seconds: 3 },
    });
    await expect.poll(() => first.output, { timeout: 30_000 }).toMatch(/1 s of work/);
    await first.kill();
    expect(first.output).not.toMatch(/handed in|3 s of work/);

    const second = await startAgent();
    await expect.poll(() => second.output, { timeout: 60_000 }).toMatch(/1 s of work/);
    await gateway.kill();
    // Where it is away when the result is to be handed in.
    await expect.poll(() => second.output, { timeout: 30_000 }).toMatch(/3 s of work/);
    gateway = await startGateway();

    const { result } = await client.waitFor(id);
    expect(result).toMatchObject({
      report_url: 'https://reports.example/Q3.pdf',
      language: name,
    });
    const events = [];
    for await (const event of client.observe(id)) events.push(event);
    expect(events.filter(({ event_type: type }) => type === 'intent.completed')).toHaveLength(1);
    expect(events.at(-1)?.status).toBe('COMPLETED');
    expect(steps(second.output, /working on/)).toBe(1);

    // And it goes on with what comes next.
    const next = await client.sendIntent({
      intentType: 'report.generate.v1',
      toAgent: address,
      payload: { quarter: 'Q4', seconds: 0 },
    });
    expect((await client.waitFor(next)).result).toMatchObject({
      report_url: 'https://reports.example/Q4.pdf',
    });
    await second.kill();
    await gateway.kill();
  }, 180_000);
});

/** A key of the agent, minted as the protocol has it. */
async function agentKey(url: string, address: string): Promise<string> {
  const post = async (path: string, body: object): Promise<Record<string, unknown>> => {
    const answer = await fetch(`${url}/v1/service-accounts${path}`, {
      method: 'POST',
      headers: { 'x-api-key': ADMIN_KEY, 'content-type': 'application/json' },
      body: JSON.stringify(body),
    });
    return JSON.parse(await answer.text());
  };
  const account = Object((await post('', { name: address })).service_account);
  const { key } = await post(`/${account.service_account_id}/keys`, {});
  return String(Object(key).token);
}
