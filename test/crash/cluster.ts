import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { freePort } from '../free-port.ts';

/** One server process of the cluster; it keeps its port over restarts. */
interface Member {
  readonly port: number;
  child: ChildProcess;
  paused: boolean;
}

/** Server processes on one store, which are killed and paused at random. */
export class Cluster implements AsyncDisposable {
  readonly #env: Readonly<Record<string, string>>;
  readonly #script: URL;
  /** When processes were killed, in ms since the epoch, by their ids. */
  readonly deaths: Map<number, number> = new Map<number, number>();
  readonly #members: Member[] = [];
  #stopped = false;
  killCount = 0;
  pauseCount = 0;

  constructor(
    env: Readonly<Record<string, string>>,
    script = new URL('./server.ts', import.meta.url),
  ) {
    this.#env = env;
    this.#script = script;
  }

  async start(count: number): Promise<void> {
    for (let i = 0; i < count; i++) {
      const port = await freePort();
      this.#members.push({ port, child: this.#spawn(port), paused: false });
    }
    await Promise.all(this.#members.map(({ child }) => listening(child)));
  }

  /** The origin of a random member, dead or alive. */
  randomOrigin(): string {
    return `http://127.0.0.1:${pick(this.#members)?.port}`;
  }

  /** Kills a random member with SIGKILL and starts it again at once. */
  async killOne(): Promise<void> {
    const member = this.#randomAwake();
    if (member === undefined) return;
    const exited = once(member.child, 'exit');
    member.child.kill('SIGKILL');
    await exited;
    if (member.child.pid !== undefined) this.deaths.set(member.child.pid, Date.now());
    this.killCount += 1;
    if (!this.#stopped) member.child = this.#spawn(member.port);
  }

  /** Stops a random member in its tracks for a while: when it goes on, its leases are others'. */
  async pauseOne(ms: number, wait: (ms: number) => Promise<unknown>): Promise<void> {
    const member = this.#randomAwake();
    if (member === undefined) return;
    const { child } = member;
    member.paused = true;
    child.kill('SIGSTOP');
    this.pauseCount += 1;
    await wait(ms);
    child.kill('SIGCONT');
    member.paused = false;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stopped = true;
    for (const { child } of this.#members) child.kill('SIGKILL');
  }

  #randomAwake(): Member | undefined {
    return pick(this.#members.filter(({ paused }) => !paused));
  }

  #spawn(port: number): ChildProcess {
    const script = fileURLToPath(this.#script);
    return spawn(process.execPath, ['--conditions=durable-source', script], {
      env: { ...process.env, ...this.#env, PORT: String(port) },
      stdio: ['ignore', 'pipe', 'inherit'],
    });
  }
}

function pick<T>(values: readonly T[]): T | undefined {
  return values[Math.floor(Math.random() * values.length)];
}

async function listening(child: ChildProcess): Promise<void> {
  if (child.stdout !== null) await once(child.stdout, 'data');
}
