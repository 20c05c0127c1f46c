import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';

const FOLDER = fileURLToPath(new URL('../../examples/agents/', import.meta.url));

/** How a program of the example is started. */
export interface Program {
  readonly command: string;
  readonly args: readonly string[];
}

/** A program of the example, in a process of its own. */
export class AgentProcess {
  readonly #child: ChildProcess;
  #output = '';

  constructor({ command, args }: Program, env: Readonly<Record<string, string>>) {
    // A group of its own, since `go run` has a child.
    this.#child = spawn(command, args, {
      cwd: FOLDER,
      env: { ...process.env, ...env },
      detached: true,
    });
    const note = (chunk: Buffer): void => void (this.#output += chunk.toString());
    this.#child.stdout?.on('data', note);
    this.#child.stderr?.on('data', note);
  }

  /** All that it has said. */
  get output(): string {
    return this.#output;
  }

  /** Ends it at once, and resolves when it is gone. */
  async kill(): Promise<void> {
    const { pid, exitCode, signalCode } = this.#child;
    if (pid === undefined || exitCode !== null || signalCode !== null) return;
    const exited = once(this.#child, 'exit');
    process.kill(-pid, 'SIGKILL');
    await exited;
  }
}
