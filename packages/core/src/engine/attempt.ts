import type { Progress } from '@durable-api/protocol';
import type { Timer } from '../clock.ts';
import type { Command } from '../state/command.ts';
import type { IntentRecord, StoredResponse } from '../state/intent.ts';
import { isFreedByStart } from '../state/live-key.ts';
import { RESETS_OUTPUT, VOID_OUTPUT } from '../handler/void-output.ts';
import { HandlerContext } from '../handler/handler-context.ts';
import { AgentCanceled } from '../agents/hand-over.ts';
import type { HandlerHost } from '../handler/host.ts';
import { AttemptHost } from './attempt-host.ts';
import type { AttemptSetup } from './attempt-setup.ts';
import { backoffMs } from './backoff.ts';
import { failureOfResponse, failureOfThrow, type AttemptFailure } from './failure.ts';
import { isCanceledFirst, type WriteOutcome } from './intent-writer.ts';
import { AttemptAborted, type AbortCause } from './operation.ts';
import { parseProgress, ProgressReporter } from './progress-reporter.ts';

/** How long to wait before a write that the store refused is tried again, in ms. */
const WRITE_RETRY_MS = 200;

/**
 * One attempt: calls the handler under its time limits and writes how it ended. It ends exactly once,
 * by whichever comes first: response, throw, timeout, deadline, cancel, loss of the lease, drain.
 */
export class Attempt {
  readonly #setup: AttemptSetup;
  readonly #abort = new AbortController();
  readonly #progress: ProgressReporter;
  readonly #timers: Timer[] = [];
  readonly #done = Promise.withResolvers<void>();
  #start: 'unwritten' | 'writing' | 'written';
  #returned = false;
  #ending = false;
  #settled = false;
  #context: HandlerContext | null = null;

  constructor(setup: AttemptSetup) {
    this.#setup = setup;
    this.#start = setup.isStarted ? 'written' : 'unwritten';
    this.#progress = new ProgressReporter(setup.clock, (progress) => {
      // A lost report is not worth an attempt; the next one or the end says more.
      setup.writer.apply({ type: 'progress', progress }).catch(() => {});
    });
  }

  get id(): string {
    return this.#setup.writer.record.id;
  }

  get lease(): number {
    return this.#setup.lease;
  }

  get record(): IntentRecord {
    return this.#setup.writer.record;
  }

  /** Resolves when the attempt has ended and its end is written, or is nobody's any more. */
  get done(): Promise<void> {
    return this.#done.promise;
  }

  /** Calls the handler. Never rejects. */
  start(): void {
    const { clock, operation } = this.#setup;
    const { timeoutMs } = operation.options;
    const leftMs = (this.record.deadlineAt ?? Infinity) - clock.now();
    if (leftMs <= timeoutMs) this.#after(leftMs, () => this.#missDeadline());
    else this.#after(timeoutMs, () => this.#timeOut());
    // Not waited for: the claim is stored, and the end of the attempt goes in after this.
    const started = this.#writeStart();
    if (this.#setup.voidsOutput)
      this.#host()
        .write(VOID_OUTPUT)
        .catch(() => {});
    if (isFreedByStart(this.record)) void started.then(() => this.#callStarted());
    else void this.#call();
  }

  /** Somebody else has written the intent. */
  intentChanged(): void {
    this.#context?.intentChanged();
  }

  /** Asks the handler to stop; after a grace the intent is CANCELED whether it did or not. */
  cancel(): void {
    if (this.#ending || this.#abort.signal.aborted) return;
    this.#abortFor('canceled');
    this.#after(this.#setup.options.cancelGraceMs, () => void this.#end({ type: 'cancel' }));
  }

  /** The lease is somebody else's or given back: whatever the handler does now is ignored. */
  abandon(cause: AbortCause): void {
    if (this.#settled) return;
    this.#ending = true;
    this.#progress.drop();
    this.#abortFor(cause);
    this.#settle();
  }

  async #writeStart(): Promise<void> {
    if (this.#start !== 'unwritten' || this.#settled) return;
    this.#start = 'writing';
    const { attempt } = this.#setup;
    const written = await this.#tryWrite({ type: 'start', attempt });
    if (written === null) {
      this.#start = 'unwritten';
      this.#after(WRITE_RETRY_MS, () => void this.#writeStart());
    } else if ('record' in written && written.record.attempt >= attempt) this.#start = 'written';
    else this.abandon('lease_lost');
  }

  /** Calls the handler once its start is stored: until then its input may be replaced. */
  async #callStarted(): Promise<void> {
    while (this.#start !== 'written' && !this.#ending) await this.#pause();
    if (!this.#ending) await this.#call();
  }

  async #call(): Promise<void> {
    const { operation, input } = this.#setup;
    try {
      const parsed: unknown = JSON.parse(input);
      this.#context = this.#newContext(parsed);
      const response = await operation.run(parsed, this.#context);
      this.#noteReturn();
      await this.#respond(response);
    } catch (thrown) {
      this.#noteReturn();
      if (thrown instanceof AgentCanceled) {
        await this.#end({ type: 'cancel', reason: thrown.message });
        return;
      }
      this.#logThrow(thrown);
      if (this.record.cancelRequestedAt !== null) await this.#end({ type: 'cancel' });
      else await this.#fail(failureOfThrow(thrown, this.#setup.options.exposeErrors));
    }
  }

  #noteReturn(): void {
    if (this.#returned) return;
    this.#returned = true;
    this.#setup.onReturned();
  }

  async #respond(response: StoredResponse): Promise<void> {
    const failure = failureOfResponse(response, this.#setup.options.limits.maxResultBytes);
    if (failure === null) {
      await this.#context?.finish();
      await this.#end({ type: 'complete', result: response, ...this.#family });
    } else await this.#fail(failure);
  }

  #timeOut(): void {
    const { timeoutMs } = this.#setup.operation.options;
    const message = `The attempt took longer than its timeout of ${timeoutMs} ms.`;
    this.#abortFor('timeout');
    void this.#fail({
      failure: { code: 'attempt_timeout', message, retryable: true },
      retryAfterMs: null,
    });
  }

  #missDeadline(): void {
    // Timers may fire a little early, and the estimate of the store's time gets better.
    const leftMs = (this.record.deadlineAt ?? 0) - this.#setup.clock.now();
    if (leftMs > 0) return this.#after(leftMs, () => this.#missDeadline());
    this.#abortFor('deadline');
    void this.#end({ type: 'timeOut' });
  }

  #fail({ failure, retryAfterMs }: AttemptFailure): Promise<void> {
    const { operation, options } = this.#setup;
    const failures = this.record.failures + 1;
    const again = failure.retryable && failures <= operation.options.retries;
    const delayMs = retryAfterMs ?? backoffMs(operation.options.backoff, failures, options.random);
    this.#context?.drop();
    const resets = this.#context?.hasOutput === true ? RESETS_OUTPUT : {};
    const retry = { retryAfterMs: again ? delayMs : null };
    return this.#end({ type: 'fail', failure, ...retry, ...resets, ...this.#family });
  }

  /** What a command says of children. One of an earlier attempt is known only when it is looked for. */
  get #family(): { hasChildren?: true } {
    const mayHave = !this.#setup.isFresh || this.#context?.hasChildren === true;
    return mayHave ? { hasChildren: true } : {};
  }

  /** Writes the end of the attempt, again and again while the store is away. */
  async #end(command: Command): Promise<void> {
    if (this.#ending) return;
    this.#ending = true;
    this.#progress.end();
    let end = command;
    while (!this.#settled) {
      // An end without a start would be refused; together they are one commit.
      void this.#writeStart();
      const written = (await this.#windDown(end)) ? await this.#tryWrite(end) : null;
      if (written === null) {
        await this.#pause();
      } else if (isCanceledFirst(written) && end.type !== 'cancel') end = { type: 'cancel' };
      else break;
    }
    this.#settle();
  }

  /** Tells children of an end that is a bad one; false when the store could not. */
  async #windDown(end: Command): Promise<boolean> {
    const isGood = end.type === 'complete' || (end.type === 'fail' && end.retryAfterMs !== null);
    if (isGood || this.#family.hasChildren !== true) return true;
    const { writer, cancelChildren, options } = this.#setup;
    try {
      await writer.idle();
      await cancelChildren(this.record);
      return true;
    } catch (error) {
      options.logger.warn({ err: error, intentId: this.id }, 'Children could not be canceled yet');
      return false;
    }
  }

  async #tryWrite(command: Command): Promise<WriteOutcome | null> {
    try {
      return await this.#setup.writer.apply(command);
    } catch (error) {
      const { options } = this.#setup;
      options.logger.warn({ err: error, intentId: this.id }, 'A write of an attempt failed');
      return null;
    }
  }

  #settle(): void {
    if (this.#settled) return;
    this.#settled = true;
    for (const timer of this.#timers) timer.cancel();
    this.#done.resolve();
  }

  #pause(): Promise<void> {
    return new Promise((resolve) => this.#after(WRITE_RETRY_MS, resolve));
  }

  #after(delayMs: number, fire: () => void): void {
    this.#timers.push(this.#setup.clock.setTimeout(fire, delayMs));
  }

  #abortFor(cause: AbortCause): void {
    // Who has returned has nothing left to stop.
    if (!this.#returned && !this.#abort.signal.aborted)
      this.#abort.abort(new AttemptAborted(cause));
  }

  #newContext(input: unknown): HandlerContext {
    const { id: intentId, operation, version, owner } = this.record;
    const who = { intentId, operation, version, owner };
    const { maxEventBytes, maxEventCount } = this.#setup.options.limits;
    const attempt = {
      ...who,
      attempt: this.#setup.attempt,
      signal: this.#abort.signal,
      input,
      logger: this.#setup.options.logger,
      progress: (report: number | Progress) => {
        const progress = parseProgress(report, maxEventBytes - 1_024);
        // Beyond the limit only the end is told.
        if (this.#ending || this.record.seq >= maxEventCount) return;
        this.#progress.report(progress);
      },
    };
    return new HandlerContext(attempt, (isFresh) => this.#host(isFresh));
  }

  #host(isFresh = this.#setup.isFresh): HandlerHost {
    return new AttemptHost({
      attempt: this.#setup,
      isFresh,
      signal: this.#abort.signal,
      isOver: () => this.#ending,
      isSettled: () => this.#settled,
      write: (command) => {
        void this.#writeStart();
        return this.#tryWrite(command);
      },
      wait: () => this.#pause(),
      flush: async () => {
        this.#progress.flush();
        await this.#context?.flush();
      },
      onSuspended: (cause) => this.abandon(cause),
    });
  }

  #logThrow(thrown: unknown): void {
    if (this.#abort.signal.aborted) return;
    const { logger } = this.#setup.options;
    const { id, operation } = this.record;
    const { attempt } = this.#setup;
    logger.error({ err: thrown, intentId: id, operation, attempt }, 'An attempt failed');
  }
}
