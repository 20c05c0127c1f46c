import { setImmediate } from 'node:timers/promises';
import { FOREVER_AT } from '@durable-api/protocol';
import type { Timer } from '../clock.ts';
import { AttemptAborted, type SleepOptions, type WaitOptions } from '../engine/operation.ts';
import type { Found } from '../store/store.ts';
import type { Busy } from './busy.ts';
import { checkPauseName, checkWait, pauseInStep, sleepTwice, sleepUntil } from './check-pause.ts';
import { endsOf, type ChildEnd } from './child-notes.ts';
import type { HandlerHost } from './host.ts';
import type { Journal } from './journal.ts';
import { detailsOf, pausedBy, pauseNotes, reasonOf, timedOut, type Pause } from './pause.ts';
import { lastPaused, resumeAt } from './paused.ts';
import { MOMENT_MS, Pending, type Seen } from './pending.ts';
import { SignalQueue } from './signal-queue.ts';
import type { Steps } from './steps.ts';
import { untoldEnds } from './untold-ends.ts';

/** What pauses are made of. */
export interface PausesSetup {
  readonly host: HandlerHost;
  readonly journal: Journal;
  readonly steps: Steps;
  readonly busy: Busy;
}

/**
 * The sleeps and waits of one attempt. When the handler does nothing else than pause, its attempt ends: what
 * it awaits never settles in this process, so nothing of the handler can catch it, and the handler is run
 * again from its beginning when there is something to go on with.
 */
export class Pauses {
  readonly #setup: PausesSetup;
  readonly #pending = new Pending();
  readonly #signals: SignalQueue;
  readonly #ordinals = new Map<string, number>();
  #timer: Timer | null = null;
  #quietUntil = -Infinity;
  /** The instant that the last look went by: what had not come by then is still to be waited for. */
  #lookedAt = -Infinity;
  #looking = false;
  #again = false;
  /** Something may have been written since the intent was read. */
  #mayHaveMore = true;
  #found: Found | null = null;
  #readAt = -Infinity;
  #ends: ReadonlyMap<string, ChildEnd> = new Map();
  #hearsAbort = false;

  constructor(setup: PausesSetup) {
    this.#setup = setup;
    this.#signals = new SignalQueue(setup.host);
    setup.busy.onChange = () => this.#busyChanged();
  }

  /** See `AttemptContext.sleep`. */
  async sleep(duration: number | Date, { name }: SleepOptions = {}): Promise<void> {
    this.#refuseInStep('sleep');
    if (name !== undefined) checkPauseName(name);
    const { host, journal } = this.#setup;
    const wanted = sleepUntil(duration, host.clock.now());
    const key = name === undefined ? `sleep:${this.#next('sleep')}` : `sleep:${name}`;
    if (name !== undefined && this.#next(key) > 1) throw sleepTwice(name);
    const known = (await journal.notes()).get(key);
    const until = known === undefined ? wanted : Number(known);
    // One that is over already takes its turn after what came before its end: see `Pending.firstOver`.
    if (known === undefined && until <= host.clock.now()) return;
    await new Promise<void>((resolve, reject) => {
      this.#enter({ kind: 'sleep', key, until, resolve, reject });
    });
  }

  /** See `AttemptContext.waitFor`. */
  async waitFor<T>(name: string, options: WaitOptions<T> = {}): Promise<T> {
    this.#refuseInStep('waitFor');
    checkWait(name, options);
    const { host, journal } = this.#setup;
    const key = `wait:${name}:${this.#next(`wait:${name}`)}`;
    const known = (await journal.notes()).get(key);
    const since = known === undefined ? host.clock.now() : Number(known);
    const until = options.timeoutMs === undefined ? null : since + options.timeoutMs;
    return new Promise<T>((resolve, reject) => {
      // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- what the schema gave, or its author says
      const give = (payload: unknown): void => resolve(payload as T);
      this.#enter({ kind: 'wait', key, name, options, since, until, resolve: give, reject });
    });
  }

  /** Resolves to how a child ended, once it has. */
  async childEnd(id: string, operation: string): Promise<ChildEnd> {
    this.#refuseInStep('result');
    const since = this.#setup.host.clock.now();
    return new Promise<ChildEnd>((resolve, reject) => {
      this.#enter({ kind: 'child', id, operation, since, resolve, reject });
    });
  }

  /** Somebody else has written the intent. */
  intentChanged(): void {
    if (this.#pending.size === 0) return;
    this.#mayHaveMore = true;
    this.#look();
  }

  /** Something that cannot be cut off has begun or ended. */
  #busyChanged(): void {
    if (this.#pending.size === 0) return;
    this.#quietUntil = this.#setup.host.clock.now() + MOMENT_MS;
    if (!this.#setup.busy.isBusy) this.#look();
  }

  #enter(pause: Pause): void {
    const { signal } = this.#setup.host;
    if (!this.#hearsAbort) signal.addEventListener('abort', () => this.#abort(), { once: true });
    this.#hearsAbort = true;
    if (this.#pending.size === 0) {
      this.#quietUntil = -Infinity;
      this.#mayHaveMore = true;
    }
    this.#pending.add(pause);
    if (signal.aborted) this.#abort();
    else this.#look();
  }

  /** The attempt is over: a handler that has to stop is told so where it waits, a suspended one is not. */
  #abort(): void {
    const { reason }: { reason: unknown } = this.#setup.host.signal;
    this.#timer?.cancel();
    const pending = this.#pending.clear();
    if (reason instanceof AttemptAborted && reason.cause === 'suspended') return;
    const error = reason instanceof Error ? reason : new Error('The attempt is over.');
    for (const pause of pending) pause.reject(error);
  }

  #next(kind: string): number {
    const next = (this.#ordinals.get(kind) ?? 0) + 1;
    this.#ordinals.set(kind, next);
    return next;
  }

  #refuseInStep(what: string): void {
    const { current } = this.#setup.steps;
    if (current !== undefined) throw pauseInStep(current.name, what);
  }

  /** Looks whether a pause is over, or the attempt too. Any number of calls are one look at a time. */
  #look(): void {
    this.#again = true;
    if (this.#looking) return;
    this.#looking = true;
    void this.#lookOn().catch((error: unknown) => {
      this.#looking = false;
      // When the attempt is over, who waits was told.
      const reason = error instanceof Error ? error : new Error(String(error));
      for (const pause of this.#pending.clear()) pause.reject(reason);
    });
  }

  async #lookOn(): Promise<void> {
    while (this.#again && this.#pending.size > 0) {
      this.#again = false;
      // The end of this turn of the event loop, so that what the handler begins side by side is known.
      await setImmediate();
      if (await this.#goOn()) this.#again = true;
    }
    this.#looking = false;
    this.#arm();
  }

  /** Ends the pause that is over first, else the attempt; tells whether to look again at once. */
  async #goOn(): Promise<boolean> {
    const { host, busy } = this.#setup;
    const seen = this.#needsNotes() ? await this.#see() : null;
    const over = this.#pending.firstOver(host.clock.now(), seen);
    for (const { pause } of over) await this.#end(pause);
    if (over.length > 0) return true;
    const now = host.clock.now();
    this.#lookedAt = now;
    if (busy.isBusy || this.#again || this.#pending.size === 0) return false;
    if (this.#pending.keepsPlaceUntil(now, host.hasRoom()) > now || now < this.#quietUntil)
      return false;
    if (seen === null) await host.idle();
    else if (await this.#findEnds(seen)) return true;
    return !(await this.#suspend(seen));
  }

  /** While something goes on beside them, only what has come to happen is worth a look at the store. */
  #needsNotes(): boolean {
    if (!this.#pending.needsNotes) return false;
    return (
      !this.#setup.busy.isBusy ||
      this.#mayHaveMore ||
      this.#pending.hasSlept(this.#setup.host.clock.now())
    );
  }

  /** What is written of the intent, read anew if it may have changed. */
  async #see(): Promise<Seen> {
    const { host } = this.#setup;
    await host.idle();
    // What came before the end of a sleep must be known when that is over.
    const hasSlept = this.#pending.hasSlept(host.clock.now(), this.#readAt);
    const isOld = this.#found === null || this.#found.record.seq < host.record.seq;
    if (this.#found === null || isOld || hasSlept || this.#mayHaveMore) {
      this.#mayHaveMore = false;
      this.#readAt = host.clock.now();
      this.#found = await host.read();
      const { notes = [] } = this.#found;
      this.#signals.fill(notes);
      this.#ends = endsOf(notes);
    }
    const { seq, updatedAt } = this.#found.record;
    return { seq, updatedAt, signals: this.#signals, ends: this.#ends };
  }

  async #end(pause: Pause): Promise<void> {
    if (pause.kind === 'sleep') {
      this.#leave(pause);
      pause.resolve();
      return;
    }
    if (pause.kind === 'child') {
      this.#leave(pause);
      const end = this.#ends.get(pause.id);
      if (end !== undefined) pause.resolve(end);
      return;
    }
    try {
      const isLate = this.#signals.next(pause) === null;
      const taken = isLate ? null : await this.#signals.take(pause);
      // A signal that the schema has refused leaves the wait as it was.
      if (!isLate && taken === null) return;
      this.#leave(pause);
      if (taken === null) pause.reject(timedOut(pause));
      else pause.resolve(taken.payload);
    } catch (error) {
      // A schema that throws is the handler's own.
      this.#leave(pause);
      pause.reject(error instanceof Error ? error : new Error(String(error)));
    }
  }

  #leave(pause: Pause): void {
    this.#pending.remove(pause);
    // Others may be what the handler no longer waits for: it gets a moment to show what it does.
    if (this.#pending.size > 0) this.#quietUntil = this.#setup.host.clock.now() + MOMENT_MS;
  }

  /** Writes down which children have ended without a word; tells whether there is something new. */
  async #findEnds(seen: Seen): Promise<boolean> {
    const { host } = this.#setup;
    const ended = await untoldEnds(host, this.#pending.openChildren(seen), seen.seq);
    if (ended === null) return false;
    this.#mayHaveMore = true;
    await host.write(ended);
    return true;
  }

  /** Ends the attempt; resolves to false when something has come meanwhile. */
  async #suspend(seen: Seen | null): Promise<boolean> {
    const { host, journal } = this.#setup;
    const pauses = this.#pending.all;
    const notes =
      seen === null
        ? [...(await journal.notes())].map(([key, value]) => ({ key, value }))
        : (this.#found?.notes ?? []);
    const paused = pausedBy({
      pauses,
      attempt: host.attempt,
      last: lastPaused(notes),
      takenOf: (name) => this.#signals.takenOf(name),
      now: host.clock.now(),
      lookMs: host.options.leaseMs,
    });
    const resumes = resumeAt({ ...paused, lookAt: FOREVER_AT });
    this.#mayHaveMore = true;
    return host.suspend({
      type: 'suspend',
      reason: reasonOf(pauses),
      resumeAt: resumeAt(paused),
      seq: seen?.seq ?? null,
      details: detailsOf(pauses, resumes === FOREVER_AT ? null : resumes),
      notes: pauseNotes(pauses, paused),
    });
  }

  #arm(): void {
    this.#timer?.cancel();
    this.#timer = null;
    if (this.#pending.size === 0) return;
    const { clock, signal } = this.#setup.host;
    if (signal.aborted) return;
    // Not by the clock: what has come since the look would be waited for by nobody.
    const quietAt = this.#quietUntil > this.#lookedAt ? this.#quietUntil : Infinity;
    const next = Math.min(this.#pending.nextAt(this.#lookedAt), quietAt);
    if (next !== Infinity) {
      this.#timer = clock.setTimeout(() => this.#look(), Math.max(0, next - clock.now()));
    }
  }
}
