import { ChildError, NonRetryableError, RetryAfterError } from '../../src/errors.ts';
import type { AttemptContext } from '../../src/engine/operation.ts';
import type { StoredResponse } from '../../src/state/intent.ts';
import { respond } from '../support/bed.ts';
import type { HostProcess } from './host.ts';
import type { Plan } from './plan.ts';
import type { Random } from './random.ts';
import { promise } from './violation.ts';

/** What handlers have done, outside of the system that is tested. */
export interface Ledger {
  /** The responses that handlers gave, by their text. */
  readonly responses: Map<string, string>;
  /** What handlers were given of what they remember, by intent and name. */
  readonly remembered: Map<string, string>;
  readonly traits: Map<string, Traits>;
  calls: number;
}

export interface HandlerSetup {
  readonly process: HostProcess;
  readonly random: Random;
  readonly plan: Plan;
  readonly ledger: Ledger;
  /** The true time. */
  readonly now: () => number;
  /** The instant by which an attempt of an intent must have begun. */
  readonly deadlineOf: (id: string) => number | null;
  readonly note: (line: string) => void;
}

/** What an intent does, which is the same in each attempt. */
interface Traits {
  readonly isFamily: boolean;
  readonly ms: number;
}

function traitsOf({ ledger, random }: HandlerSetup, intentId: string): Traits {
  const known = ledger.traits.get(intentId);
  const traits = known ?? { isFamily: random.chance(0.4), ms: random.int(0, 4_000) };
  ledger.traits.set(intentId, traits);
  return traits;
}

/** A child's whole work: it sleeps for as long as it is told, and gives back what it was given. */
export async function leaf(
  input: unknown,
  { sleep, step }: AttemptContext,
): Promise<StoredResponse> {
  const { n, ms } = Object(Object(input).body);
  await sleep(ms);
  return respond(await step('n', () => n));
}

/** Only how a child ended is remembered; that an attempt is cut short is not. */
function codeOf(error: unknown): string {
  if (error instanceof ChildError) return error.code;
  throw error;
}

/** Steps, a sleep, a signal that may not come, and children: what is remembered must stay as it was. */
async function remember(
  { ledger }: HandlerSetup,
  context: AttemptContext,
  { ms }: Traits,
): Promise<void> {
  const { intentId, step, sleep, waitFor, start } = context;
  const same = (what: string, value: unknown): void => {
    const key = `${intentId} ${what}`;
    const text = JSON.stringify(value);
    const before = ledger.remembered.get(key) ?? text;
    ledger.remembered.set(key, text);
    promise(before === text, () => `steps: ${key} was ${before} and is ${text}`);
  };
  same('first', await step('first', () => (ledger.calls += 1)));
  await sleep(ms);
  // Which of the two it was is not asked: a signal that is long under way bears the instant of its sender.
  await Promise.race([waitFor('go'), sleep(ms + 500, { name: 'late' })]);
  const children = await Promise.all([1, 2].map((n) => start<number>('leaf', { n, ms: n * ms })));
  const ids = children.map((child) => child.intentId);
  same('children', ids);
  const values = await Promise.all(children.map((child) => child.result().catch(codeOf)));
  same('values', values);
  same('last', await step('last', () => (ledger.calls += 1)));
}

/** A handler of random duration and outcome, which heeds its signal or does not. */
export function randomHandler(
  setup: HandlerSetup,
): (input: unknown, context: AttemptContext) => Promise<StoredResponse> {
  const { process, random, plan, ledger, note } = setup;
  const working = new Set<AttemptContext>();

  const sleep = (ms: number): Promise<void> =>
    new Promise((resolve) => void process.clock.setTimeout(resolve, ms));

  const whenAborted = (signal: AbortSignal): Promise<void> =>
    new Promise((resolve) => {
      if (signal.aborted) resolve();
      signal.addEventListener('abort', () => resolve(), { once: true });
    });

  const end = (context: AttemptContext): StoredResponse => {
    const dice = random.next();
    if (dice < 0.15) throw new Error('It broke.');
    if (dice < 0.2) throw new NonRetryableError('It cannot be done.');
    if (dice < 0.25) throw new RetryAfterError('Busy.', random.int(0, 3_000));
    if (dice < 0.3) return respond({ error: 'Busy.' }, 503);
    const text = `${process.name}/${ledger.calls}/${random.next()}`;
    ledger.responses.set(JSON.stringify(text), context.intentId);
    return respond(text);
  };

  return async (_, context) => {
    ledger.calls += 1;
    const { intentId, signal, attempt } = context;
    note(`${process.name} runs ${intentId} attempt ${attempt}`);
    checkDeadline(setup, intentId);
    const traits = traitsOf(setup, intentId);
    working.add(context);
    signal.addEventListener('abort', () => working.delete(context), { once: true });
    promise(
      working.size <= plan.engine.concurrency,
      () => `12: ${process.name} has ${working.size} attempts under way`,
    );
    try {
      if (traits.isFamily) {
        await remember(setup, context, traits);
        // What lost its race is still waited for: only steps may follow, and the end.
        return end(context);
      }
      for (let reports = random.int(-2, 3); reports > 0; reports -= 1) {
        await sleep(random.int(0, 200));
        context.progress(random.next());
      }
      const kind = random.next();
      if (kind < 0.1) {
        // Works until it is told to stop, and then stops or answers all the same.
        await whenAborted(signal);
        await sleep(random.int(0, 1_000));
        if (random.chance(0.5)) throw signal.reason;
      } else if (kind < 0.12) await new Promise(() => {});
      else await sleep(random.chance(0.7) ? random.int(0, 800) : random.int(0, 8_000));
      if (random.chance(0.3)) signal.throwIfAborted();
      return end(context);
    } finally {
      working.delete(context);
    }
  };
}

function checkDeadline({ deadlineOf, now, plan }: HandlerSetup, id: string): void {
  const deadlineAt = deadlineOf(id);
  // A process knows the store's clock only as well as its link is fast.
  const doubtMs = plan.clock === 'store' ? 8_000 : 0;
  const isInTime = deadlineAt === null || now() <= deadlineAt + doubtMs;
  promise(isInTime, () => `8: an attempt of ${id} began after its deadline`);
}
