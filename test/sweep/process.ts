import { appendFileSync } from 'node:fs';
import {
  decodeInput,
  DurableApi,
  type AttemptContext,
  type StoredResponse,
} from '@durable-api/core';
import { storeFromUrl } from '@durable-api/example-reports';
import { minedStore, withoutSteps } from './mined-store.ts';

const { STORE = '', NAME = '', LEDGER = '', KILL_AT = '0', SABOTAGE = '' } = process.env;

/** What the process says when it has seen the intent end. */
export interface Report {
  readonly id: string;
  readonly status: string;
  readonly result: unknown;
  /** How many points it has passed. */
  readonly points: number;
}

const CHILD = `${NAME}.child`;
let points = 0;

/** A point at which the process can be told to die, as by `kill -9`. */
function point(): void {
  points += 1;
  if (points === Number(KILL_AT)) process.kill(process.pid, 'SIGKILL');
}

/** A step that has an effect outside. */
function effectOf(step: AttemptContext['step'], name: string): Promise<number> {
  return step(name, async ({ idempotencyKey }) => {
    point();
    appendFileSync(LEDGER, `${name} ${idempotencyKey}\n`);
    point();
    return Number(name.slice(1));
  });
}

/**
 * Ten steps, each with an effect outside; a sleep after the third, a signal after the sixth, and two children
 * before the last, of which one takes so long that nobody waits for it awake.
 */
async function tenSteps({ step, sleep, waitFor, start }: AttemptContext): Promise<unknown> {
  const effect = (name: string): Promise<number> => effectOf(step, name);
  let sum = 0;
  for (const name of ['s1', 's2', 's3']) sum += await effect(name);
  point();
  await sleep(1_100);
  for (const name of ['s4', 's5', 's6']) sum += await effect(name);
  point();
  const signal = await waitFor<{ n: number }>('go');
  for (const value of await Promise.all(['s7', 's8', 's9'].map(effect))) sum += value;
  const children = await Promise.all(['c1', 'c2'].map((name) => start<number>(CHILD, name)));
  point();
  for (const value of await Promise.all(children.map((child) => child.result()))) sum += value;
  return { sum: sum + (await effect('s10')), signal };
}

/** What a child does: one more step with an effect, and the second one sleeps after it. */
async function childStep(name: unknown, { step, sleep }: AttemptContext): Promise<unknown> {
  const value = await effectOf(step, String(name));
  if (name === 'c2') await sleep(1_100);
  point();
  return 100 * value;
}

const json = (value: unknown): StoredResponse => ({
  status: 200,
  headers: { 'content-type': 'application/json' },
  body: Buffer.from(JSON.stringify(value)),
});

const store = storeFromUrl(STORE);
const api = new DurableApi({
  store: minedStore(SABOTAGE === 'steps' ? withoutSteps(store) : store, point),
  leaseMs: 500,
  storeTimeoutMs: 30_000,
  random: () => 0,
  defaults: { retries: 0, maxLostLeases: 100 },
});
api.declare({ name: NAME, run: async (_, context) => json(await tenSteps(context)) });
api.declare({
  name: CHILD,
  run: async (input, context) => json(await childStep(decodeInput(input).body, context)),
});

// The engine keeps no process alive by itself, as a server would.
const alive = setInterval(() => {}, 60_000);
const { record } = await api.intents.submit(NAME, {}, { idempotencyKey: 'one' });
let last = '';
for await (const event of api.intents.observe(record.id)) {
  last = event.status;
  if (event.event_type !== 'intent.waiting' || event.waiting_reason !== 'WAITING_FOR_TOOL')
    continue;
  const key = { idempotencyKey: 'go' };
  await api.intents.signal(record.id, 'go', { n: 5 }, key).catch((error: unknown) => {
    // A process before this one has sent it, and the intent has ended since.
    if (!String(error).includes('It ended')) throw error;
  });
}
const response = await api.intents.result(record.id);
const result: unknown =
  response === null ? null : JSON.parse(Buffer.from(response.body).toString('utf8'));
const report: Report = { id: record.id, status: last, result, points };
console.log(JSON.stringify(report));
await api.stop();
clearInterval(alive);
