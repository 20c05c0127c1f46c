import { HandlerFault } from '../handler-fault.ts';
import { isAgentAddress, type AgentRef } from '../agents/agent-ref.ts';
import { AttemptAborted } from '../engine/operation.ts';
import type { Found } from '../store/store.ts';
import type { Busy } from './busy.ts';
import { pauseInStep } from './check-pause.ts';
import { childError, valueOf, type Child, type OperationRef, type StartOptions } from './child.ts';
import { childNote, childOf, endsOf, type ChildAnswer, type ChildEnd } from './child-notes.ts';
import type { ChildOperation, HandlerHost, PreparedChild } from './host.ts';
import type { Journal } from './journal.ts';
import type { Pauses } from './pauses.ts';
import type { Steps } from './steps.ts';

/** What children are made of. */
export interface ChildrenSetup {
  readonly host: HandlerHost;
  readonly journal: Journal;
  readonly steps: Steps;
  readonly pauses: Pauses;
  readonly busy: Busy;
}

/** A child that is to be looked for, and who wants to know. */
interface Sought {
  readonly id: string;
  readonly resolve: (found: Found | undefined) => void;
  readonly reject: (error: unknown) => void;
}

/**
 * The children that one attempt starts, or finds again. A child is noted before it is stored: whoever ends
 * its parent knows of it then, and a later attempt stores it under the same id.
 */
export class Children {
  readonly #setup: ChildrenSetup;
  readonly #names = new Set<string>();
  readonly #ordinals = new Map<string, number>();
  #sought: Sought[] = [];

  constructor(setup: ChildrenSetup) {
    this.#setup = setup;
  }

  /** See `AttemptContext.start`. */
  async start<Result>(
    operation: string | OperationRef | AgentRef,
    input: unknown,
    options: StartOptions = {},
  ): Promise<Child<Result>> {
    const { host, busy, steps } = this.#setup;
    if (steps.current !== undefined) throw pauseInStep(steps.current.name, 'start');
    const child = host.children.prepare(childOperation(operation), input, options);
    const name = this.#nameOf(child.operation, options.name);
    const id = await busy.during(() => this.#startOrFind(name, child, options.name !== undefined));
    return {
      intentId: id,
      operation: child.operation,
      // What a child gives is its author's word.
      // oxlint-disable-next-line typescript/no-unsafe-type-assertion
      result: () => this.#watched(this.#resultOf(id, child.operation)) as Promise<Result>,
    };
  }

  #watched<T>(promise: Promise<T>): Promise<T> {
    // A handler may end without waiting for it.
    promise.catch(() => {});
    return promise;
  }

  #nameOf(operation: string, name: string | undefined): string {
    if (name === undefined) {
      const ordinal = (this.#ordinals.get(operation) ?? 0) + 1;
      this.#ordinals.set(operation, ordinal);
      return `${ordinal}:${operation}`;
    }
    if (typeof name !== 'string' || !/^[^\p{Cc}\p{Cs}]{1,200}$/u.test(name)) {
      const message = 'The name of a child has 1 to 200 characters without control characters.';
      throw new HandlerFault('start_invalid', message);
    }
    if (this.#names.has(name)) {
      const message = `The handler has two children named "${name}". Give each a name of its own.`;
      throw new HandlerFault('start_invalid', message);
    }
    this.#names.add(name);
    return `=${name}`;
  }

  async #startOrFind(name: string, child: PreparedChild, isNamed: boolean): Promise<string> {
    const { host, journal } = this.#setup;
    const notes = await journal.notes();
    const known = childOf(notes, name);
    if (known === null) return this.#startNew(name, child);
    const { id, operation, fingerprint, at } = known;
    // Where an agent is may change while it works: the intent that it was sent is the one.
    const isMoved = isAgentAddress(operation) && isAgentAddress(child.operation);
    const isSame = isNamed
      ? operation === child.operation || isMoved
      : operation === child.operation && fingerprint === child.fingerprint;
    if (!isSame) throw changed(child.operation, operation);
    const isKnownToBeThere = (await this.#ends()).has(id) || (await this.#find(id)) !== undefined;
    // One that is not there was never stored, unless it is so old that it may have been removed.
    const { endedMs } = host.options.retention;
    const mayBeGone = endedMs !== null && host.clock.now() - at >= endedMs;
    if (!isKnownToBeThere && !mayBeGone) {
      const { key: _key, ...unkeyed } = child;
      const first = known.key === undefined ? unkeyed : { ...unkeyed, key: known.key };
      await host.children.store(id, first);
    }
    return id;
  }

  async #startNew(name: string, child: PreparedChild): Promise<string> {
    const { host } = this.#setup;
    const { operation, key, fingerprint } = child;
    const { maxEventCount } = host.options.limits;
    if (host.record.seq >= maxEventCount / 2) {
      const message =
        `The intent has half as many events as limits.maxEventCount (${maxEventCount}) allows, and each ` +
        'child brings two more. Start fewer children, have them start others, or raise the limit.';
      throw new HandlerFault('too_many_events', message);
    }
    const id = host.children.newId(child);
    const keyed = key === undefined ? {} : { key };
    const at = host.clock.now();
    const note = childNote(name, { id, operation, ...keyed, fingerprint, at });
    const details = { intent_id: id, operation };
    const command = { type: 'remember', event: 'intent.child_started', details } as const;
    if (!(await host.write({ ...command, notes: [note] }))) throw new AttemptAborted('lease_lost');
    await host.children.store(id, child);
    return id;
  }

  #endsKnown: Promise<ReadonlyMap<string, ChildEnd>> | null = null;

  #ends(): Promise<ReadonlyMap<string, ChildEnd>> {
    return (this.#endsKnown ??= this.#setup.journal
      .notes()
      .then((notes) => endsOf([...notes].map(([key, value]) => ({ key, value })))));
  }

  async #resultOf(id: string, operation: string): Promise<unknown> {
    const end = await this.#setup.pauses.childEnd(id, operation);
    if (end.status !== 'COMPLETED') throw childError(operation, end, null);
    const answer = end.answer ?? (await this.#setup.busy.during(() => this.#answerOf(id)));
    if (answer === null) throw childError(operation, { ...end, status: 'GONE' }, null);
    if (answer.status >= 400) throw childError(operation, end, answer);
    return answer.value;
  }

  /** The whole answer, as the child has it; null when it was removed. */
  async #answerOf(id: string): Promise<ChildAnswer | null> {
    const [found] = await this.#setup.host.children.find([id], 'result');
    const response = found?.result;
    return response === undefined ? null : { status: response.status, value: valueOf(response) };
  }

  /** Looks for a child, together with all that are looked for in this turn of the event loop. */
  #find(id: string): Promise<Found | undefined> {
    return new Promise((resolve, reject) => {
      this.#sought.push({ id, resolve, reject });
      if (this.#sought.length === 1) setImmediate(() => void this.#findAll());
    });
  }

  async #findAll(): Promise<void> {
    const sought = this.#sought;
    this.#sought = [];
    try {
      const found = await this.#setup.host.children.find(sought.map(({ id }) => id));
      for (const [i, { resolve }] of sought.entries()) resolve(found[i]);
    } catch (error) {
      for (const { reject } of sought) reject(error);
    }
  }
}

function childOperation(operation: string | OperationRef | AgentRef): ChildOperation | AgentRef {
  if (typeof operation === 'string') return { operation };
  if (isAgentRef(operation)) return operation;
  const isRef =
    (typeof operation === 'object' && operation !== null) || typeof operation === 'function';
  const name: unknown = isRef ? Reflect.get(operation, 'operation') : undefined;
  const version: unknown = isRef ? Reflect.get(operation, 'version') : undefined;
  if (typeof name === 'string') {
    return { operation: name, ...(typeof version === 'string' && { version }) };
  }
  const message =
    'start() takes the name of an operation, or what it was declared with, and its input.';
  throw new HandlerFault('start_invalid', message);
}

// What is wrong with an agent is said where it is looked for.
function isAgentRef(operation: OperationRef | AgentRef): operation is AgentRef {
  return typeof operation === 'object' && operation !== null && 'address' in operation;
}

function changed(now: string, before: string): HandlerFault {
  const what = now === before ? 'another input' : `the operation "${before}"`;
  return new HandlerFault(
    'child_changed',
    `start("${now}") had ${what} in an earlier attempt. Children are told apart by their order: where that ` +
      'may differ, give them names; take the time and what is random in a step.',
  );
}
