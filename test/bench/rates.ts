import { setTimeout as delay } from 'node:timers/promises';
import { median, round } from './bench.ts';
import { startServer } from './server-process.ts';
import { postLoad } from './wrk.ts';

/** How a rate is measured. */
export interface RateOptions {
  readonly connections: number;
  readonly seconds: number;
}

type Env = Readonly<Record<string, string>>;

/** Requests per second that a server answers. */
export async function submitRate(name: string, env: Env, options: RateOptions): Promise<number> {
  await using server = await startServer(name, env);
  const load = { url: `${server.origin}/op`, connections: options.connections };
  await postLoad({ ...load, seconds: 2 });
  return (await postLoad({ ...load, seconds: options.seconds })).requestsPerSecond;
}

/** Completed per second, until the last one that was submitted is. */
export async function completedRate(name: string, env: Env, options: RateOptions): Promise<number> {
  await using server = await startServer(name, env);
  const load = { url: `${server.origin}/op`, connections: options.connections };
  const completed = async (): Promise<number> => {
    return Number(await (await fetch(`${server.origin}/completed`)).text());
  };
  const warmUp = await postLoad({ ...load, seconds: 2 });
  while ((await completed()) < warmUp.requestCount) await delay(20);
  const before = await completed();
  const startedAt = performance.now();
  const { requestCount } = await postLoad({ ...load, seconds: options.seconds });
  while ((await completed()) - before < requestCount) await delay(20);
  return ((await completed()) - before) / ((performance.now() - startedAt) / 1_000);
}

/**
 * Measures several things in turn, so that all meet the same machine, and gives the median of each.
 * `ONLY=a,b` measures only those.
 */
export async function measureAll(
  rates: Readonly<Record<string, () => Promise<number>>>,
  rounds = 3,
): Promise<Record<string, number>> {
  const only = process.env['ONLY']?.split(',');
  const names = Object.keys(rates).filter((name) => only?.includes(name) ?? true);
  const measured = new Map(names.map((name) => [name, [] as number[]]));
  for (let i = 1; i <= rounds; i++) {
    for (const name of names) {
      const rate = (await rates[name]?.()) ?? NaN;
      measured.get(name)?.push(rate);
      console.log(`round ${i}: ${name} ${Math.round(rate)}/s`);
    }
  }
  return Object.fromEntries(
    names.map((name) => [name, round(median(measured.get(name) ?? []), 0)]),
  );
}

/** `a` to `b` of what {@link measureAll} gave; with several `b`, to the best of them. */
export function ratio(
  rates: Readonly<Record<string, number>>,
  a: string,
  ...b: readonly string[]
): number {
  const best = Math.max(...b.map((name) => rates[name] ?? NaN).filter((rate) => rate > 0));
  return round((rates[a] ?? NaN) / best, 3);
}
