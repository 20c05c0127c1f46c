import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { freePort } from './free-port.ts';

/** What a server runs with. */
export interface ServerSetup {
  /** The path of the script in this repository. */
  readonly script: string;
  /** What it reads from `STORE`. */
  readonly store: string;
  readonly env?: Readonly<Record<string, string>>;
  /** Whether it runs on the compiled packages, as Nest must. Default false: on their sources. */
  readonly isCompiled?: boolean;
}

/** A server in a process of its own, that can be killed and started again. */
export class ServerInProcess implements AsyncDisposable {
  readonly origin: string;
  readonly #port: number;
  readonly #setup: ServerSetup;
  #child: ChildProcess | null = null;

  private constructor(setup: ServerSetup, port: number) {
    this.#setup = setup;
    this.#port = port;
    this.origin = `http://127.0.0.1:${port}`;
  }

  /** Starts it on a free port; resolves when it listens. */
  static async start(setup: ServerSetup): Promise<ServerInProcess> {
    const server = new ServerInProcess(setup, await freePort());
    await server.restart();
    return server;
  }

  /** Starts the server again, on the same port and store. */
  async restart(): Promise<void> {
    const { script, store, env, isCompiled = false } = this.#setup;
    const path = fileURLToPath(new URL(`../${script}`, import.meta.url));
    const conditions = isCompiled ? [] : ['--conditions=durable-source'];
    const child = spawn(process.execPath, [...conditions, path], {
      env: { ...process.env, ...env, PORT: String(this.#port), STORE: store },
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    this.#child = child;
    const died = once(child, 'exit').then(([code]) => {
      throw new Error(`The server exited with ${code} before it listened.`);
    });
    await Promise.race([once(child.stdout, 'data'), died]);
    died.catch(() => {});
  }

  /** Ends the process as a crash does, or with another signal as a deploy does. */
  async kill(signal: NodeJS.Signals = 'SIGKILL'): Promise<void> {
    const child = this.#child;
    this.#child = null;
    if (child === null || child.exitCode !== null) return;
    const exited = once(child, 'exit');
    child.kill(signal);
    await exited;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.kill();
  }
}
