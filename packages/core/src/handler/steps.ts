import { AsyncLocalStorage } from 'node:async_hooks';
import { backoffMs } from '../engine/backoff.ts';
import { failureOfThrow } from '../engine/failure.ts';
import type { StepContext, StepOptions } from '../engine/operation.ts';
import { HandlerFault } from '../handler-fault.ts';
import { hashParts } from '../http/fingerprint.ts';
import type { Busy } from './busy.ts';
import type { OutputChunk } from './output-chunk.ts';
import type { HandlerHost } from './host.ts';
import type { Journal } from './journal.ts';
import { waitHere } from './wait-here.ts';
import { rememberedJson } from './json-value.ts';

/** The longest name of a step, in UTF-16 units. */
const MAX_NAME_LENGTH = 200;

/** A step under way. */
export interface RunningStep {
  readonly name: string;
  /** What it has put out, to be put out again by an attempt that does not run it. */
  readonly output: OutputChunk[];
}

interface Remembered<T> {
  readonly value: T;
  readonly output?: readonly OutputChunk[];
}

/** What steps are made of. */
export interface StepsSetup {
  readonly host: HandlerHost;
  readonly journal: Journal;
  readonly busy: Busy;
  /** Called with what a step has put out that is not run again. */
  readonly onRepeat: (output: readonly OutputChunk[]) => void;
}

/** The steps of one attempt: each runs once in the life of the intent. */
export class Steps {
  readonly #setup: StepsSetup;
  readonly #names = new Set<string>();
  readonly #current = new AsyncLocalStorage<RunningStep>();

  constructor(setup: StepsSetup) {
    this.#setup = setup;
  }

  /** The step that the caller is part of. */
  get current(): RunningStep | undefined {
    return this.#current.getStore();
  }

  /** See `AttemptContext.step`. */
  async run<T>(
    name: string,
    run: (step: StepContext) => T | Promise<T>,
    options: StepOptions = {},
  ): Promise<T> {
    this.#begin(name, run, options);
    return this.#setup.busy.during(async () => {
      const remembered = (await this.#setup.journal.notes()).get(noteKey(name));
      // What a step gives is its author's word; what is remembered of it was checked to be JSON.
      const { value, output }: Remembered<T> = JSON.parse(
        remembered ?? (await this.#runAndRemember(name, run, options)),
      );
      if (remembered !== undefined && output !== undefined) this.#setup.onRepeat(output);
      return value;
    });
  }

  #begin(name: unknown, run: unknown, { retries = 0, timeoutMs = 1 }: StepOptions): void {
    const isName =
      typeof name === 'string' &&
      name.length > 0 &&
      name.length <= MAX_NAME_LENGTH &&
      name.isWellFormed() &&
      !/\p{Cc}/u.test(name);
    if (!isName || typeof run !== 'function') {
      const message =
        `step(name, run) takes a name of 1 to ${MAX_NAME_LENGTH} characters without control ` +
        'characters, and a function.';
      throw new HandlerFault('step_invalid', message);
    }
    if (
      !Number.isInteger(retries) ||
      retries < 0 ||
      !Number.isInteger(timeoutMs) ||
      timeoutMs < 1
    ) {
      const message = `The options of step "${name}" are { retries, timeoutMs }, both whole numbers.`;
      throw new HandlerFault('step_invalid', message);
    }
    const { current } = this;
    if (current !== undefined) {
      const message =
        `Step "${name}" is inside of step "${current.name}", which would run it again with itself. ` +
        'Put one after the other.';
      throw new HandlerFault('step_nested', message);
    }
    if (this.#names.has(name)) {
      const message =
        `The handler has two steps "${name}", and would be given the value of one for the other. ` +
        'Give each a name of its own, in a loop for instance `page ${i}`.';
      throw new HandlerFault('step_duplicate', message);
    }
    this.#names.add(name);
  }

  async #runAndRemember<T>(
    name: string,
    run: (step: StepContext) => T | Promise<T>,
    options: StepOptions,
  ): Promise<string> {
    const startedAt = this.#setup.host.clock.now();
    const step: RunningStep = { name, output: [] };
    const value = await this.#runAgain(step, run, options);
    return this.#remember(step, value, startedAt);
  }

  async #runAgain<T>(
    step: RunningStep,
    run: (step: StepContext) => T | Promise<T>,
    { retries = 0, timeoutMs }: StepOptions,
  ): Promise<T> {
    const { host } = this.#setup;
    for (let attempt = 1; ; attempt += 1) {
      host.signal.throwIfAborted();
      try {
        return await this.#runOnce(step, run, attempt, timeoutMs);
      } catch (thrown) {
        const { failure, retryAfterMs } = failureOfThrow(thrown, true);
        if (attempt > retries || !failure.retryable || host.signal.aborted) throw thrown;
        const { backoff } = host.operationOptions;
        const delayMs = retryAfterMs ?? backoffMs(backoff, attempt, host.options.random);
        await waitHere(host, delayMs);
      }
    }
  }

  async #runOnce<T>(
    step: RunningStep,
    run: (step: StepContext) => T | Promise<T>,
    attempt: number,
    timeoutMs: number | undefined,
  ): Promise<T> {
    const { host } = this.#setup;
    const { name } = step;
    const idempotencyKey = hashParts([host.record.id, 'step', name]);
    const call = (signal: AbortSignal): Promise<T> =>
      this.#current.run(step, async () => run({ signal, attempt, idempotencyKey }));
    if (timeoutMs === undefined) return call(host.signal);
    const late = new AbortController();
    const { promise, reject } = Promise.withResolvers<never>();
    const timer = host.clock.setTimeout(() => {
      const error = new Error(`Step "${name}" took longer than its timeout of ${timeoutMs} ms.`);
      reject(error);
      late.abort(error);
    }, timeoutMs);
    try {
      return await Promise.race([call(AbortSignal.any([host.signal, late.signal])), promise]);
    } finally {
      timer.cancel();
    }
  }

  /** Writes the value and returns it as it was written. */
  async #remember(
    { name, output }: RunningStep,
    value: unknown,
    startedAt: number,
  ): Promise<string> {
    const { host } = this.#setup;
    const json = rememberedJson(value, `The value of step "${name}"`);
    const shown = output.length === 0 ? '' : `"output":${JSON.stringify(output)}`;
    const parts = [shown, json === undefined ? '' : `"value":${json}`].filter(
      (part) => part !== '',
    );
    const note = `{${parts.join(',')}}`;
    const { maxResultBytes, maxEventCount } = host.options.limits;
    if (Buffer.byteLength(note) > maxResultBytes) {
      const message =
        `The value of step "${name}" has more than maxResultBytes (${maxResultBytes}). ` +
        'Store it elsewhere and return a reference.';
      throw new HandlerFault('step_too_large', message);
    }
    if (host.record.seq >= maxEventCount) {
      const message =
        `The intent has maxEventCount (${maxEventCount}) events, and cannot remember step "${name}". ` +
        'Do more in one step, or raise limits.maxEventCount.';
      throw new HandlerFault('too_many_events', message);
    }
    const details = { name, duration_ms: Math.max(0, host.clock.now() - startedAt) };
    const notes = [{ key: noteKey(name), value: note }];
    await host.write({ type: 'remember', event: 'intent.step', details, notes });
    return note;
  }
}

function noteKey(name: string): string {
  return `step:${name}`;
}
