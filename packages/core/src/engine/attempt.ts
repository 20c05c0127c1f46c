import type { Clock, Timer } from '../clock.ts';
import type { ResolvedOptions } from '../options.ts';
import type { Command } from '../state/command.ts';
import type { IntentRecord, StoredResponse } from '../state/intent.ts';
import { backoffMs } from './backoff.ts';
import { failureOfResponse, failureOfThrow, type AttemptFailure } from './failure.ts';
import type { IntentWriter, WriteOutcome } from './intent-writer.ts';
import {
  AttemptAborted,
  type AbortCause,
  type AttemptContext,
  type Operation,
} from './operation.ts';
import { parseProgress, ProgressReporter } from './progress-reporter.ts';

/** What an attempt is made of. */
export interface AttemptSetup {
  readonly operation: Operation;
  readonly input: string;
  readonly writer: IntentWriter;
  /** The fence this attempt holds. */
  readonly lease: number;
  /** The ordinal of this attempt; the record has it only once the start is written. */
  readonly attempt: number;
  /** Whether the start is written, by the submit. */
  readonly isStarted: boolean;
  readonly options: ResolvedOptions;
  readonly clock: Clock;
}

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
    void this.#writeStart();
    void this.#call();
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

  async #call(): Promise<void> {
    const { operation, input } = this.#setup;
    try {
      const response = await operation.run(JSON.parse(input), this.#context());
      this.#returned = true;
      await this.#respond(response);
    } catch (thrown) {
      this.#returned = true;
      this.#logThrow(thrown);
      if (this.record.cancelRequestedAt !== null) await this.#end({ type: 'cancel' });
      else await this.#fail(failureOfThrow(thrown, this.#setup.options.exposeErrors));
    }
  }

  async #respond(response: StoredResponse): Promise<void> {
    const failure = failureOfResponse(response, this.#setup.options.limits.maxResultBytes);
    if (failure === null) await this.#end({ type: 'complete', result: response });
    else await this.#fail(failure);
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
    this.#abortFor('deadline');
    void this.#end({ type: 'timeOut' });
  }

  #fail({ failure, retryAfterMs }: AttemptFailure): Promise<void> {
    const { operation, options, clock } = this.#setup;
    const failures = this.record.failures + 1;
    const again = failure.retryable && failures <= operation.options.retries;
    const delayMs = retryAfterMs ?? backoffMs(operation.options.backoff, failures, options.random);
    return this.#end({ type: 'fail', failure, retryAt: again ? clock.now() + delayMs : null });
  }

  /** Writes the end of the attempt, again and again while the store is away. */
  async #end(command: Command): Promise<void> {
    if (this.#ending) return;
    this.#ending = true;
    this.#progress.end();
    while (!this.#settled) {
      // An end without a start would be refused; together they are one commit.
      void this.#writeStart();
      const written = await this.#tryWrite(command);
      if (written !== null) break;
      await new Promise<void>((resolve) => this.#after(WRITE_RETRY_MS, resolve));
    }
    this.#settle();
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

  #after(delayMs: number, fire: () => void): void {
    this.#timers.push(this.#setup.clock.setTimeout(fire, delayMs));
  }

  #abortFor(cause: AbortCause): void {
    // Who has returned has nothing left to stop.
    if (!this.#returned && !this.#abort.signal.aborted)
      this.#abort.abort(new AttemptAborted(cause));
  }

  #context(): AttemptContext {
    const { record } = this;
    const { maxEventBytes, maxEventCount } = this.#setup.options.limits;
    return {
      intentId: record.id,
      operation: record.operation,
      owner: record.owner,
      attempt: this.#setup.attempt,
      signal: this.#abort.signal,
      progress: (report) => {
        const progress = parseProgress(report, maxEventBytes - 1_024);
        // Beyond the limit only the end is told.
        if (this.#ending || this.record.seq >= maxEventCount) return;
        this.#progress.report(progress);
      },
    };
  }

  #logThrow(thrown: unknown): void {
    if (this.#abort.signal.aborted) return;
    const { logger } = this.#setup.options;
    const { id, operation } = this.record;
    const { attempt } = this.#setup;
    logger.error({ err: thrown, intentId: id, operation, attempt }, 'An attempt failed');
  }
}
