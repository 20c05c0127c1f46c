import type { Claimed, ClaimResult, KeyedOperation } from '../store/store.ts';
import type { Clock } from '../clock.ts';
import type { AttemptPool } from './attempt-pool.ts';
import type { Claimer } from './claimer.ts';
import { storedNamesOf, type DeclaredOperations } from './declared-operations.ts';
import type { DispatcherSetup } from './dispatcher.ts';
import type { Operation } from './operation.ts';

/** What claims need to know. */
export interface ClaimsSetup {
  readonly claimer: Claimer;
  readonly operations: DeclaredOperations;
  readonly clock: Clock;
  /** Whether other processes may have stored intents by other options of their operations. */
  readonly isShared: boolean;
  readonly pool: AttemptPool;
  /** Whether this process starts attempts. */
  readonly works: () => boolean;
  /** A claim should be made then. */
  readonly onLook: (at: number) => void;
}

/** What was claimed, and how things are left. */
interface Round {
  readonly claimed: readonly Claimed[];
  readonly nextDueAt: number | null;
  /** The operations that have no room left in this process, so that the end of an attempt is news. */
  readonly short: readonly Operation[];
}

type RoomOf = (operation: Operation) => number;

/** Claims at most `limit` of a part of the operations; `claimed` is what was claimed just before. */
type Ask = (limit: number, claimed: readonly Claimed[]) => Promise<ClaimResult> | null;

/** How long after others have written it is looked for what is not where its operation's options say, in ms. */
const STRAY_LOOK_MS = 60_000;

/**
 * What to claim: intents without a key in one go, those with keys in another, and those of each operation
 * that has a limit in this process by themselves, in turns. Once at first, and at times when others write,
 * also what was stored when the options of its operation were others: with a key though it has none now,
 * or the other way around.
 */
export class Claims {
  readonly #setup: ClaimsSetup;
  #rounds = 0;
  #strayLookAt: number;
  /** Whether something waits for a place of its key. */
  isHeldBack = false;

  constructor(setup: ClaimsSetup) {
    this.#setup = setup;
    this.#strayLookAt = setup.isShared ? -Infinity : Infinity;
  }

  /** Others have written. */
  noteForeign(): void {
    if (this.#strayLookAt !== Infinity) return;
    this.#strayLookAt = this.#setup.clock.now() + STRAY_LOOK_MS;
    this.#setup.onLook(this.#strayLookAt);
  }

  /** Claims at most `limit` intents and has them worked on. */
  async claim(limit: number): ReturnType<DispatcherSetup['claim']> {
    const { operations, pool, works, clock } = this.#setup;
    const all = operations.runnable();
    const takesStray = this.#strayLookAt <= clock.now();
    const own = all.filter(({ options }) => options.perProcess !== null);
    const isPlain = own.length === 0 && all.every(({ options }) => options.lanes === null);
    // Until those that are claimed are there, so that submits do not take their places.
    const unreserve = pool.reserve(limit);
    const held = new Map(own.map((each) => [each, pool.limits.holdRoom(each)]));
    const roomOf: RoomOf = (operation) => held.get(operation)?.room ?? Infinity;
    try {
      await pool.catchUp();
      const { claimed, short, nextDueAt } =
        isPlain && !takesStray
          ? await this.#askPlain(all, limit)
          : await this.#ask(all, takesStray, limit, roomOf);
      for (const each of held.values()) each.release();
      if (works()) for (const one of claimed) this.#take(one);
      else await pool.giveBack(claimed.map((one) => one.record));
      // What has ended during the claim has told nobody who would listen.
      const isFreed = short.some((each) => pool.limits.roomOf(each) > 0);
      return { count: claimed.length, nextDueAt, isShort: short.length > 0, isFreed };
    } finally {
      for (const each of held.values()) each.release();
      unreserve();
    }
  }

  #take({ record, input }: Claimed): void {
    const operation = this.#setup.operations.of(record);
    if (operation !== undefined) this.#setup.pool.take(operation, record, input, false);
  }

  async #askPlain(all: readonly Operation[], limit: number): Promise<Round> {
    const operations = all.flatMap(storedNamesOf);
    const { claimed, nextDueAt } = await this.#setup.claimer.claim({ operations }, limit);
    return { claimed, nextDueAt: this.#earliest(nextDueAt), short: [] };
  }

  async #ask(
    all: readonly Operation[],
    takesStray: boolean,
    limit: number,
    roomOf: RoomOf,
  ): Promise<Round> {
    const asks = this.#asks(all, takesStray, roomOf);
    const claimed: Claimed[] = [];
    const nexts: (number | null)[] = [];
    this.#rounds += 1;
    for (let i = 0; i < asks.length && claimed.length < limit; i += 1) {
      const ask = asks[(this.#rounds + i) % asks.length];
      const result = await ask?.(limit - claimed.length, claimed);
      if (result === undefined || result === null) continue;
      claimed.push(...result.claimed);
      nexts.push(result.nextDueAt);
      if (result.isHeldBack !== undefined) this.isHeldBack = result.isHeldBack;
    }
    if (takesStray) this.#strayLookAt = Infinity;
    const short = all.filter((each) => roomOf(each) <= this.#countOf(each, claimed));
    return { claimed, nextDueAt: this.#earliest(...nexts), short };
  }

  /** How much of what was claimed is an operation's. */
  #countOf(operation: Operation, claimed: readonly Claimed[]): number {
    const { operations } = this.#setup;
    return claimed.filter(({ record }) => operations.of(record) === operation).length;
  }

  /** When to claim again: then, or for what is not where it should be. */
  #earliest(...nexts: readonly (number | null)[]): number | null {
    const next = Math.min(this.#strayLookAt, ...nexts.map((at) => at ?? Infinity));
    return next === Infinity ? null : next;
  }

  #asks(all: readonly Operation[], takesStray: boolean, roomOf: RoomOf): Ask[] {
    const { claimer } = this.#setup;
    const open = all.filter((operation) => roomOf(operation) > 0);
    const plain = takesStray ? open : open.filter(({ options }) => options.lanes === null);
    const free = plain.filter(({ options }) => options.perProcess === null);
    const laned = takesStray ? open : open.filter(({ options }) => options.lanes !== null);
    // Those that have a limit in this process share its room among all that they take: a claim knows rooms
    // for each of these only, so that there is a claim of each.
    const isAlone = (operation: Operation): boolean =>
      operation.options.perProcess !== null && operation.options.runs.length > 0;
    const keyed = laned
      .filter((operation) => !isAlone(operation))
      .flatMap((operation) =>
        storedNamesOf(operation).map((name) => toKeyed(operation, name, roomOf(operation))),
      );
    const asks: Ask[] = [];
    const operations = free.flatMap(storedNamesOf);
    if (operations.length > 0) asks.push((limit) => claimer.claim({ operations }, limit));
    if (keyed.length > 0) asks.push((limit) => claimer.claim({ operations: [], keyed }, limit));
    for (const operation of laned.filter(isAlone)) {
      for (const name of storedNamesOf(operation)) {
        asks.push((limit, claimed) => {
          const room = roomOf(operation) - this.#countOf(operation, claimed);
          const one = { operations: [], keyed: [toKeyed(operation, name, room)] };
          return room > 0 ? claimer.claim(one, limit) : null;
        });
      }
    }
    for (const operation of plain) {
      if (operation.options.perProcess === null) continue;
      asks.push((limit, claimed) => {
        const room = roomOf(operation) - this.#countOf(operation, claimed);
        return room > 0 ? this.#askOne(operation, limit, room) : null;
      });
    }
    return asks;
  }

  /** What is left because the operation has no room here is not due, for this process. */
  async #askOne(operation: Operation, limit: number, room: number): Promise<ClaimResult> {
    const most = Math.min(limit, room);
    const result = await this.#setup.claimer.claim({ operations: storedNamesOf(operation) }, most);
    return result.claimed.length < room ? result : { ...result, nextDueAt: null };
  }
}

function toKeyed({ options }: Operation, operation: string, room: number): KeyedOperation {
  const { lanes, perProcess } = options;
  return {
    operation,
    room: perProcess === null ? null : room,
    perKey: lanes?.perKey ?? null,
    rateLimit: lanes?.rateLimit ?? null,
  };
}
