import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { freePort } from './free-port.ts';

/** An example's server in a process of its own, that can be killed and started again. */
export class ExampleServer implements AsyncDisposable {
  readonly origin: string;
  readonly #port: number;
  readonly #script: string;
  readonly #store: string;
  #child: ChildProcess | null = null;

  private constructor(script: string, store: string, port: number) {
    this.#script = fileURLToPath(new URL(`../examples/${script}`, import.meta.url));
    this.#store = store;
    this.#port = port;
    this.origin = `http://127.0.0.1:${port}`;
  }

  /** Starts `examples/SCRIPT` on a free port and `store`; resolves when it listens. */
  static async start(script: string, store: string): Promise<ExampleServer> {
    const server = new ExampleServer(script, store, await freePort());
    await server.restart();
    return server;
  }

  /** Starts the server again, on the same port and store. */
  async restart(): Promise<void> {
    const child = spawn(process.execPath, ['--conditions=durable-source', this.#script], {
      env: { ...process.env, PORT: String(this.#port), STORE: this.#store },
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    this.#child = child;
    const died = once(child, 'exit').then(([code]) => {
      throw new Error(`The example exited with ${code} before it listened.`);
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
