import type { Note } from '../store/store.ts';
import type { HandlerHost } from './host.ts';
import type { Wait } from './pause.ts';
import { signalsOf, type StoredSignal } from './signals.ts';

const REFUSED = 'refused:';
/** How many of a schema's complaints are told. */
const MAX_ISSUES = 10;

/** The signals of an intent, given out in the order in which they came: each once in an attempt. */
export class SignalQueue {
  readonly #host: HandlerHost;
  readonly #taken = new Map<string, number>();
  readonly #refused = new Set<number>();
  #signals: readonly StoredSignal[] = [];

  constructor(host: HandlerHost) {
    this.#host = host;
  }

  /** Takes in what the store has. */
  fill(notes: readonly Note[]): void {
    this.#signals = signalsOf(notes);
    for (const { key } of notes) {
      if (key.startsWith(REFUSED)) this.#refused.add(Number(key.slice(REFUSED.length)));
    }
  }

  /** The seq of the last signal of this name that was taken; 0 before the first. */
  takenOf(name: string): number {
    return this.#taken.get(name) ?? 0;
  }

  /** The next signal for `wait`; null when none has come in time. */
  next({ name, until }: Wait): StoredSignal | null {
    const next = this.#signals.find(
      (signal) =>
        signal.name === name && signal.seq > this.takenOf(name) && !this.#refused.has(signal.seq),
    );
    return next === undefined || (until !== null && next.at >= until) ? null : next;
  }

  /** Takes the next signal for `wait`; null when its schema refuses it. */
  async take(wait: Wait): Promise<{ readonly payload: unknown } | null> {
    const next = this.next(wait);
    if (next === null) return null;
    this.#taken.set(next.name, next.seq);
    return this.#check(wait, next);
  }

  /** What the schema makes of the payload; null when it refuses it, which is written. */
  async #check(wait: Wait, signal: StoredSignal): Promise<{ readonly payload: unknown } | null> {
    const { schema } = wait.options;
    if (schema === undefined) return { payload: signal.payload };
    const result = await schema['~standard'].validate(signal.payload);
    if (result.issues === undefined) return { payload: result.value };
    const issues = result.issues.slice(0, MAX_ISSUES).map(({ message }) => message);
    this.#refused.add(signal.seq);
    await this.#host.write({
      type: 'remember',
      event: 'intent.signal',
      details: { name: wait.name, refused: signal.seq, issues },
      notes: [{ key: `${REFUSED}${signal.seq}`, value: 'true' }],
    });
    return null;
  }
}
