import type { AttemptContext } from '../engine/operation.ts';
import { boundLogger, type Logger } from '../logger.ts';
import { scheduledForOf } from '../schedule/stored-tick.ts';
import { traceparentOf } from './traceparent.ts';
import type { HandlerHost } from './host.ts';
import { Busy } from './busy.ts';
import type { Start } from './child.ts';
import { Children } from './children.ts';
import { Journal } from './journal.ts';
import { Output } from './output.ts';
import { Pauses } from './pauses.ts';
import { Steps } from './steps.ts';

/** The tools of one call of a handler, made when it first asks for one. */
class Tools {
  readonly steps: Steps;
  readonly pauses: Pauses;
  readonly output: Output;
  readonly #parts: { host: HandlerHost; journal: Journal; busy: Busy };
  #children: Children | null = null;

  constructor(host: HandlerHost, isAnotherCall: boolean) {
    const journal = new Journal(host);
    const parts = (this.#parts = { host, journal, busy: new Busy() });
    const steps = new Steps({ ...parts, onRepeat: (output) => this.output.repeat(output) });
    this.steps = steps;
    this.output = new Output({ host, journal, steps, isAnotherCall });
    this.pauses = new Pauses({ ...parts, steps });
  }

  get children(): Children {
    const { steps, pauses } = this;
    return (this.#children ??= new Children({ ...this.#parts, steps, pauses }));
  }

  get hasChildren(): boolean {
    return this.#children !== null;
  }
}

/** Makes what the tools of the handler stand on; `isFresh` tells better than the attempt knows. */
type HostOf = (isFresh?: false) => HandlerHost;

/** What the context says of its attempt. */
export type HandledAttempt = Pick<
  AttemptContext,
  'intentId' | 'operation' | 'version' | 'owner' | 'attempt' | 'signal' | 'progress'
> & {
  /** What the handler is called with. */
  readonly input: unknown;
  readonly logger: Logger;
};

/** The durable context of one call of a handler. A handler that asks for nothing of it costs nothing. */
export class HandlerContext implements AttemptContext {
  readonly intentId: string;
  readonly operation: string;
  readonly version: string | undefined;
  readonly owner: string;
  readonly attempt: number;
  readonly signal: AbortSignal;
  readonly progress: AttemptContext['progress'];
  readonly #input: unknown;
  readonly #logger: Logger;
  readonly #host: HostOf;
  readonly #isAnotherCall: boolean;
  #tools: Tools | null = null;
  /** The context of a later call of the handler, which is what counts. */
  #next: HandlerContext | null = null;

  constructor(attempt: HandledAttempt, host: HostOf, isAnotherCall = false) {
    this.intentId = attempt.intentId;
    this.operation = attempt.operation;
    this.version = attempt.version;
    this.owner = attempt.owner;
    this.attempt = attempt.attempt;
    this.signal = attempt.signal;
    this.progress = attempt.progress;
    this.#input = attempt.input;
    this.#logger = attempt.logger;
    this.#host = host;
    this.#isAnotherCall = isAnotherCall;
  }

  /** The context of another call of the handler in the same attempt: nothing of it is used up. */
  again(): AttemptContext {
    this.drop();
    const { intentId, operation, version, owner, attempt, signal, progress } = this;
    const parts = { intentId, operation, version, owner, attempt, signal, progress };
    const handled = { ...parts, input: this.#input, logger: this.#logger };
    this.#next = new HandlerContext(handled, () => this.#host(false), true);
    return this.#next;
  }

  // Getters, so that what is taken out of the context by destructuring keeps its tools.
  get idempotencyKey(): string {
    return this.intentId;
  }

  get traceparent(): string | undefined {
    return traceparentOf(this.#input);
  }

  get scheduledFor(): Date | undefined {
    return scheduledForOf(this.#input);
  }

  get log(): Logger {
    const { intentId, operation, attempt } = this;
    return boundLogger(this.#logger, { intentId, operation, attempt });
  }

  get step(): AttemptContext['step'] {
    const { steps } = this.#use();
    return (name, run, options) => watched(steps.run(name, run, options));
  }

  get sleep(): AttemptContext['sleep'] {
    const { pauses } = this.#use();
    return (duration, options) => watched(pauses.sleep(duration, options));
  }

  get waitFor(): AttemptContext['waitFor'] {
    const { pauses } = this.#use();
    return (name, options) => watched(pauses.waitFor(name, options));
  }

  get start(): Start {
    const tools = this.#use();
    return <Result>(...given: Parameters<Children['start']>) =>
      watched(tools.children.start<Result>(...given));
  }

  get emit(): AttemptContext['emit'] {
    const { output } = this.#use();
    return (chunk) => watched(output.emit(chunk));
  }

  /** Puts out a part of the handler's response, of the content type that it has. */
  respond(chunk: string | Uint8Array, contentType: string | undefined): Promise<void> {
    return watched(this.#use().output.emit(chunk, contentType));
  }

  /** Whether this attempt may have started children, or found them. */
  get hasChildren(): boolean {
    return this.#tools?.hasChildren === true || this.#next?.hasChildren === true;
  }

  /** Whether observers may have seen output of this attempt. */
  get hasOutput(): boolean {
    return this.#latest()?.output.isBegun === true;
  }

  /** Stores all that was put out. */
  async flush(): Promise<void> {
    await this.#latest()?.output.flush();
  }

  /** Stores all that was put out by an attempt that has completed. */
  async finish(): Promise<void> {
    await this.#latest()?.output.finish();
  }

  /** The attempt has failed: what it put out does not count. */
  drop(): void {
    this.#latest()?.output.drop();
  }

  /** Somebody else has written the intent: a signal may be among it. */
  intentChanged(): void {
    this.#latest()?.pauses.intentChanged();
  }

  #latest(): Tools | null {
    return this.#next === null ? this.#tools : this.#next.#latest();
  }

  #use(): Tools {
    return (this.#tools ??= new Tools(this.#host(), this.#isAnotherCall));
  }
}

// A handler may end without waiting for it; that it was cut short must not take down the process then.
function watched<T>(promise: Promise<T>): Promise<T> {
  promise.catch(() => {});
  return promise;
}

/**
 * For adapters that call a handler a second time in one attempt: a context of the same attempt in which
 * no step is used up.
 */
export function contextForAnotherCall(context: AttemptContext): AttemptContext {
  return context instanceof HandlerContext ? context.again() : context;
}

/**
 * For adapters: puts out a part of the handler's response. Resolves when more may come. Rejects, and has the
 * attempt fail, when it is too much.
 */
export function putOut(
  context: AttemptContext,
  chunk: string | Uint8Array,
  contentType: string | undefined,
): Promise<void> {
  if (context instanceof HandlerContext) return context.respond(chunk, contentType);
  return context.emit(chunk);
}
