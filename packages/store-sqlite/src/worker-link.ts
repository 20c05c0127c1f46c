import { extname } from 'node:path';
import { Worker } from 'node:worker_threads';
import { DurableError } from '@durable-api/core';
import type { Answer, Call, CallFailure, CallName, Calls, WorkerMessage } from './channel.ts';

interface Pending {
  readonly resolve: (gives: unknown) => void;
  readonly reject: (error: DurableError) => void;
}

/** The link to the worker thread that has the database. */
export class WorkerLink {
  readonly #path: string;
  readonly #onHint: (ids: readonly string[] | null) => void;
  readonly #pending = new Map<number, Pending>();
  /** Calls of this tick, which travel together. */
  #outbox: Call[] = [];
  #worker: Worker | null = null;
  #lastId = 0;
  #closing: Promise<void> | null = null;

  constructor(path: string, onHint: (ids: readonly string[] | null) => void) {
    this.#path = path;
    this.#onHint = onHint;
  }

  /** Calls the worker thread, which is started by the first call. Rejects with a `DurableError`. */
  call<Name extends CallName>(
    name: Name,
    takes: Calls[Name]['takes'],
  ): Promise<Calls[Name]['gives']> {
    if (this.#closing !== null) {
      return Promise.reject(new DurableError('store_unavailable', 'The SQLite store is closed.'));
    }
    return this.#send(name, takes);
  }

  /** Waits for what is under way and ends the worker thread. Later calls are refused. */
  close(): Promise<void> {
    return (this.#closing ??= this.#end());
  }

  async #end(): Promise<void> {
    if (this.#worker === null) return;
    await this.#send('close', null);
    const worker = this.#worker;
    this.#worker = null;
    await worker.terminate();
  }

  #send<Name extends CallName>(
    name: Name,
    takes: Calls[Name]['takes'],
  ): Promise<Calls[Name]['gives']> {
    const worker = (this.#worker ??= this.#start());
    const id = (this.#lastId += 1);
    return new Promise((resolve, reject) => {
      if (this.#pending.size === 0) worker.ref();
      // The worker answers a call of this name with what the name gives; both are this package's.
      // oxlint-disable-next-line typescript/no-unsafe-type-assertion
      this.#pending.set(id, { resolve: (gives) => resolve(gives as Calls[Name]['gives']), reject });
      // A tick callback comes after all promise callbacks that are due: what they call goes along.
      if (this.#outbox.length === 0) process.nextTick(() => this.#flush());
      // oxlint-disable-next-line typescript/no-unsafe-type-assertion
      this.#outbox.push({ name, id, takes } as Call);
    });
  }

  #flush(): void {
    const calls = this.#outbox;
    this.#outbox = [];
    try {
      this.#worker?.postMessage(calls);
    } catch (cause) {
      // One that has something which cannot cross between threads must not take down the others.
      if (calls.length > 1) for (const call of calls) this.#flushOne(call);
      else for (const { id } of calls) this.#refuse(id, cause);
    }
  }

  #flushOne(call: Call): void {
    this.#outbox = [call];
    this.#flush();
  }

  #refuse(id: number, cause: unknown): void {
    const message = 'The SQLite store was given something that is no data.';
    this.#pending.get(id)?.reject(new DurableError('internal_error', message, { cause }));
    this.#pending.delete(id);
    if (this.#pending.size === 0) this.#worker?.unref();
  }

  #start(): Worker {
    // As TypeScript in this repository, as JavaScript in the package.
    const file = new URL(`./worker${extname(import.meta.url)}`, import.meta.url);
    const worker = new Worker(file, { workerData: this.#path, execArgv: ['--no-warnings'] });
    worker.unref();
    worker.on('message', (message: WorkerMessage) => this.#receive(message, worker));
    worker.on('error', (error) => this.#fail(worker, error));
    return worker;
  }

  #receive(message: WorkerMessage, worker: Worker): void {
    if (message.kind === 'hint') return this.#onHint(message.ids);
    for (const answer of message.answers) this.#settle(answer);
    if (this.#pending.size === 0) worker.unref();
  }

  #settle(answer: Answer): void {
    const pending = this.#pending.get(answer.id);
    this.#pending.delete(answer.id);
    if ('failure' in answer) pending?.reject(toError(answer.failure));
    else pending?.resolve(answer.gives);
  }

  /** The thread is gone: everything under way failed, the next call starts another one. */
  #fail(worker: Worker, cause: unknown): void {
    if (this.#worker === worker) this.#worker = null;
    const error = new DurableError('store_unavailable', 'The SQLite thread ended unexpectedly.', {
      cause,
      retryAfterSeconds: 1,
    });
    for (const { reject } of this.#pending.values()) reject(error);
    this.#pending.clear();
    this.#outbox = [];
  }
}

function toError({ code, message }: CallFailure): DurableError {
  return new DurableError(
    code,
    message,
    code === 'options_invalid' ? {} : { retryAfterSeconds: 1 },
  );
}
