import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { storeFromUrl } from '@durable-api/example-reports';

/** What to sweep. */
export interface SweepOptions {
  /** The URL of the store of one run; called once per run. */
  readonly storeOf: (folder: string) => string;
  readonly sabotage?: 'steps';
  /** Kills at every so manyth point only. Default: at every point. */
  readonly stride?: number;
}

/** What came of it. */
export interface SweepReport {
  /** How many points one undisturbed life has. */
  readonly points: number;
  readonly kills: number;
  /** How often an effect was tried again, since the process died before it was remembered. */
  readonly repeatedEffects: number;
  readonly violations: readonly string[];
}

/** How many lives are lived side by side: most of each is waiting. */
const SIDE_BY_SIDE = 6;
/** How often the process of one life may die before it counts as hung. */
const MAX_STARTS = 4;
const STEPS = ['s1', 's2', 's3', 's4', 's5', 's6', 's7', 's8', 's9', 's10'];
const CHILD_STEPS = ['c1', 'c2'];
const EXPECTED = JSON.stringify({ sum: 355, signal: { n: 5 } });

/** Lives one intent of ten steps after the other, and kills its process at a later point each time. */
export async function sweep(options: SweepOptions): Promise<SweepReport> {
  const folder = mkdtempSync(join(tmpdir(), 'durable-sweep-'));
  try {
    const first = await life(options, folder, 0);
    const violations = [...first.violations];
    let kills = 0;
    let repeatedEffects = 0;
    const stride = options.stride ?? 1;
    // A few more, for points that come with the timing.
    const killAts = Array.from({ length: first.points + 8 }, (_, i) => i + 1).filter(
      (killAt) => killAt % stride === 0,
    );
    const next = killAts.values();
    const work = async (): Promise<void> => {
      for (const killAt of next) {
        const one = await life(options, folder, killAt);
        violations.push(...one.violations);
        kills += one.kills;
        repeatedEffects += one.repeatedEffects;
      }
    };
    await Promise.all(Array.from({ length: SIDE_BY_SIDE }, work));
    return { points: first.points, kills, repeatedEffects, violations };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** One intent, from its submit to its end, through the death of its process at a point. */
async function life(
  { storeOf, sabotage }: SweepOptions,
  folder: string,
  killAt: number,
): Promise<SweepReport> {
  const name = `life-${killAt}`;
  const ledger = join(folder, `${name}.ledger`);
  const url = storeOf(join(folder, name));
  const env = { STORE: url, NAME: name, LEDGER: ledger, ...(sabotage && { SABOTAGE: sabotage }) };
  let kills = 0;
  for (let starts = 1; starts <= MAX_STARTS; starts += 1) {
    const output = await run({ ...env, KILL_AT: starts === 1 ? String(killAt) : '0' });
    if (output === null) {
      kills += 1;
      continue;
    }
    const report = JSON.parse(output);
    const violations = await check(url, name, report.id, report, ledger);
    const effects = readFileSync(ledger, 'utf8').trim().split('\n').length;
    return {
      points: report.points,
      kills,
      repeatedEffects: effects - STEPS.length - CHILD_STEPS.length,
      violations: violations.map((violation) => `killed at point ${killAt}: ${violation}`),
    };
  }
  return { points: 0, kills, repeatedEffects: 0, violations: [`killed at ${killAt}: no end`] };
}

/** What a process has printed; null when it was killed. */
async function run(env: Readonly<Record<string, string>>): Promise<string | null> {
  const file = fileURLToPath(new URL('process.ts', import.meta.url));
  const child = spawn(process.execPath, ['--conditions=durable-source', file], {
    env: { ...process.env, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const [output, errors, [code, signal]] = await Promise.all([
    text(child.stdout),
    text(child.stderr),
    once(child, 'exit'),
  ]);
  if (signal === 'SIGKILL') return null;
  if (code !== 0) throw new Error(`The process ended with ${code}: ${errors}`);
  return output;
}

type Details = Readonly<Record<string, unknown>>;

async function check(
  url: string,
  operation: string,
  id: string,
  report: { readonly status: string; readonly result: unknown },
  ledger: string,
): Promise<string[]> {
  const violations: string[] = [];
  if (report.status !== 'COMPLETED') violations.push(`ended as ${report.status}`);
  if (JSON.stringify(report.result) !== EXPECTED) {
    violations.push(`the result is ${JSON.stringify(report.result)}`);
  }
  const store = storeFromUrl(url);
  await store.migrate();
  const detailsOf = async (intent: string, wanted: string): Promise<Details[]> => {
    const [events = []] = await store.events({ of: [{ id: intent, after: 0 }], limit: 10_000 });
    const some = events.filter(({ type }) => type === `intent.${wanted}`);
    return some.map(({ json }) => JSON.parse(json).details);
  };
  const signals = await detailsOf(id, 'signal');
  if (signals.length !== 1) violations.push(`${signals.length} signals were stored`);
  const started = await detailsOf(id, 'child_started');
  const ended = await detailsOf(id, 'child_ended');
  for (const [what, children] of Object.entries({ started, ended })) {
    const ids = new Set(children.map((child) => child['intent_id']));
    if (children.length !== 2 || ids.size !== 2)
      violations.push(`${children.length} children ${what}, of ${ids.size} ids`);
  }
  const told = (await detailsOf(id, 'step')).map((step) => step['name']);
  for (const child of started) {
    const [found] = await store.get({ ids: [String(child['intent_id'])] });
    if (found?.record.parentIntentId !== id || found.record.status !== 'COMPLETED')
      violations.push(`a child is ${found?.record.status}`);
    told.push(...(await detailsOf(String(child['intent_id']), 'step')).map((step) => step['name']));
  }
  const family = await store.list({ operation: `${operation}.child`, limit: 10 });
  if (family.length !== 2) violations.push(`${family.length} children are stored`);
  await store.close();
  const lines = readFileSync(ledger, 'utf8').trim().split('\n');
  for (const step of [...STEPS, ...CHILD_STEPS]) {
    const recorded = told.filter((name) => name === step).length;
    if (recorded !== 1) violations.push(`step ${step} is recorded ${recorded} times`);
    const keys = new Set(lines.filter((line) => line.startsWith(`${step} `)));
    if (keys.size !== 1) violations.push(`step ${step} had its effect under ${keys.size} keys`);
  }
  return violations;
}
