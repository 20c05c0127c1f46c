import { fork, type ChildProcess } from 'node:child_process';
import { EventEmitter, once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { onTestFinished } from 'vitest';
import type { Order, Report } from './child-messages.ts';

/** A store in a process of its own, killed when the test has ended. */
export class ChildStore {
  readonly #process: ChildProcess;
  readonly #reports = new EventEmitter();
  /** The ids that a flood has had acknowledged, as far as this process was told. */
  readonly stored: string[] = [];
  readonly hints: (readonly string[] | null)[] = [];
  #orders = 0;

  private constructor(child: ChildProcess) {
    this.#process = child;
    child.on('message', (report: Report) => this.#receive(report));
    onTestFinished(() => void child.kill('SIGKILL'));
  }

  /** Starts a process and opens a store on `path` in it. */
  static async start(path: string): Promise<ChildStore> {
    const file = fileURLToPath(new URL('./child-main.ts', import.meta.url));
    const execArgv = ['--conditions=durable-source'];
    const forked = fork(file, [path], { execArgv, serialization: 'advanced' });
    const child = new ChildStore(forked);
    await once(child.#reports, 'ready');
    return child;
  }

  /** Has the process do something; resolves to what came of it. */
  async order(order: Order): Promise<unknown> {
    const id = (this.#orders += 1);
    this.#process.send({ id, order });
    const [report]: unknown[] = await once(this.#reports, `done ${id}`);
    return report;
  }

  /** Resolves when the process has begun to block, which it does right after. */
  async blocking(): Promise<void> {
    await once(this.#reports, 'blocking');
  }

  signal(signal: 'SIGSTOP' | 'SIGCONT'): void {
    this.#process.kill(signal);
  }

  /** Kills the process as hard as the system can, and waits until it is gone. */
  async kill(): Promise<void> {
    const exited = once(this.#process, 'exit');
    this.#process.kill('SIGKILL');
    await exited;
  }

  #receive(report: Report): void {
    switch (report.says) {
      case 'stored':
        return void this.stored.push(report.id);
      case 'hint':
        return void this.hints.push(report.ids);
      case 'done':
        return void this.#reports.emit(`done ${report.id}`, report.result);
      case 'failed':
        return void this.#reports.emit('error', new Error(report.message));
      case 'ready':
      case 'blocking':
        return void this.#reports.emit(report.says);
    }
  }
}
