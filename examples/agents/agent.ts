import { setTimeout as wait } from 'node:timers/promises';
import { AgentClient } from '@durable-api/client/agent';

const { GATEWAY_URL = 'http://127.0.0.1:8100', AGENT = 'agent://acme/production/report-service' } =
  process.env;
const client = new AgentClient(GATEWAY_URL, { apiKey: process.env['API_KEY'] });

const agent = client.listen(AGENT, async ({ intentId, payload }, { signal }) => {
  console.log(`working on ${intentId}`);
  // In a scenario, what the scenario was given is a part of what its step is given.
  const { quarter, seconds = 3 } = { ...payload, ...Object(payload['parent_payload']) };
  for (let second = 1; second <= seconds; second += 1) {
    await wait(1_000, undefined, { signal });
    console.log(`${second} s of work`);
  }
  return { report_url: `https://reports.example/${quarter}.pdf`, language: 'TypeScript' };
});

console.log(`listening as ${AGENT}`);
process.once('SIGTERM', () => void agent.stop());
await agent.ended;
await client.close();
