import { execFile } from 'node:child_process';
import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

/** What wrk is to send. */
export interface Load {
  readonly url: string;
  readonly connections: number;
  readonly seconds: number;
  readonly headers?: Readonly<Record<string, string>>;
}

/** What wrk measured. */
export interface Measured {
  readonly requestsPerSecond: number;
  readonly requestCount: number;
}

const SCRIPT = `wrk.method = "POST"
wrk.body = '{"quarter":"Q3","customer":"acme","options":{"currency":"EUR","pages":[1,2,3]}}'
wrk.headers["content-type"] = "application/json"`;

/** Posts a small JSON body from one thread of wrk. Throws when any answer was not a 2xx. */
export async function postLoad(load: Load): Promise<Measured> {
  const script = join(mkdtempSync(join(tmpdir(), 'wrk-')), 'post.lua');
  writeFileSync(script, SCRIPT);
  const headers = Object.entries(load.headers ?? {}).flatMap(([k, v]) => ['-H', `${k}: ${v}`]);
  const sizes = ['-t1', `-c${load.connections}`, `-d${load.seconds}s`, '--timeout', '10s'];
  const { stdout } = await promisify(execFile)('wrk', [
    ...sizes,
    '-s',
    script,
    ...headers,
    load.url,
  ]).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'ENOENT') throw error;
    throw new Error('The benchmarks need wrk: apt-get install wrk', { cause: error });
  });
  if (/Non-2xx|Socket errors/.test(stdout)) throw new Error(`wrk met errors:\n${stdout}`);
  const rate = /Requests\/sec:\s+([\d.]+)/.exec(stdout)?.[1];
  const count = /(\d+) requests in/.exec(stdout)?.[1];
  return { requestsPerSecond: Number(rate), requestCount: Number(count) };
}
