import type { AgentHost } from '../agents/agent-host.ts';
import type { DrivenIntents, OnDue } from '../engine/driven-intents.ts';
import type { ChildStarter } from '../engine/child-starter.ts';
import type { Committed, GroupCommit, Submitted } from '../engine/group-commit.ts';
import type { WrittenChange } from '../engine/intent-writer.ts';
import { IdSource } from '../engine/new-id.ts';
import type { StoreClock } from '../engine/store-clock.ts';
import type { Logger } from '../logger.ts';
import type { Hub, Wait, WaitRequest } from '../observe/hub.ts';
import type { ResolvedOptions } from '../options.ts';
import type { IntentRecord } from '../state/intent.ts';
import type {
  CommitRequest,
  EventsRequest,
  Found,
  GetRequest,
  ListRequest,
  StoredEvent,
  SubmitRequest,
} from '../store/store.ts';
import { WebhookSender } from '../webhooks/webhook-sender.ts';

/** What a ledger is made of. */
export interface LedgerSetup {
  readonly options: ResolvedOptions;
  readonly commits: GroupCommit;
  readonly clock: StoreClock;
  readonly hub: Hub;
  readonly driven: DrivenIntents;
  /** Opens the store and asks it, within `storeTimeoutMs`. */
  readonly ask: <T>(ask: () => Promise<T>) => Promise<T>;
  readonly onWritten: (change: WrittenChange) => void;
  readonly children: ChildStarter;
  readonly onHost: (host: AgentHost) => void;
  /** Makes sure that the engine is on its way. */
  readonly begin: () => void;
}

/** An intent of an operation that another waits for which has no handler. */
export interface DrivenChild {
  /** One that {@link Ledger.newIdOf} has made. */
  readonly id: string;
  readonly operation: string;
  readonly body: unknown;
  readonly owner: string;
  readonly parentIntentId: string;
  /** The latest end; the operation's own deadline holds too. Null for that alone. */
  readonly deadlineAt: number | null;
}

/**
 * The stores, clock and wake-ups of a durable API, for a package that keeps intents of kinds of its own,
 * with a state machine of its own: a gateway for another protocol. What is written here goes through the
 * engine's queues, and all who watch the intent are told of it. Everything rejects with a `DurableError`.
 */
export class Ledger {
  readonly logger: Logger;
  /** Makes the POSTs of webhooks; null where the option `webhooks` is not given. */
  readonly webhooks: WebhookSender | null;
  readonly #setup: LedgerSetup;
  readonly #ids = new IdSource();
  readonly #leaving = new Set<() => void>();
  #hasLeft = false;

  constructor(setup: LedgerSetup) {
    this.#setup = setup;
    this.logger = setup.options.logger;
    const { webhooks } = setup.options;
    this.webhooks = webhooks === null ? null : new WebhookSender(webhooks, setup.clock);
  }

  /** The store's time, in ms since the epoch. */
  now(): number {
    return this.#setup.clock.now();
  }

  /** Calls `fire` once after `delayMs`; returns what stops it. */
  after(delayMs: number, fire: () => void): () => void {
    const timer = this.#setup.clock.setTimeout(fire, delayMs);
    return () => timer.cancel();
  }

  /** A new id: UUIDv7. */
  newId(): string {
    return this.#ids.next(this.now());
  }

  /**
   * Has `onDue` called with every intent of this operation that is due, under a lease: it must commit a
   * change that gives the lease up, or {@link snooze}, else it is called again after the lease. Intents of
   * an operation that nobody drives or declares stay as they are.
   */
  drive(operation: string, onDue: OnDue): void {
    this.#setup.driven.declare(operation, onDue);
    this.#setup.begin();
  }

  /** An id that no intent has yet, for an intent of this operation. */
  newIdOf(operation: string): string {
    return this.#setup.children.newId({ operation });
  }

  /**
   * Stores an intent of an operation that is declared here, unless that id is there already. With a parent
   * that bears `DRIVEN_NOTE`, who drives that is called when this one has ended.
   * @throws HandlerFault `start_invalid` for what the operation cannot be given.
   */
  async startChild({
    id,
    operation,
    body,
    owner,
    parentIntentId,
    deadlineAt,
  }: DrivenChild): Promise<void> {
    const { children, ask } = this.#setup;
    const child = children.prepare({ operation }, body, {}, {}, operation);
    await ask(() => children.store({ id: parentIntentId, owner }, id, child, deadlineAt));
  }

  /** Has operations hand their work to agents, by this host. Until then their intents stay as they are. */
  hostAgents(host: AgentHost): void {
    this.#setup.onHost(host);
    this.#setup.begin();
  }

  /** Stores an intent, unless one of its id or idempotency key is there. */
  submit(request: SubmitRequest): Promise<Submitted> {
    const { ask, commits, hub, driven } = this.#setup;
    return ask(async () => {
      const { record, events } = request;
      const result = await commits.submit(request);
      if (result.outcome !== 'created') return result;
      hub.publish({ record }, events);
      if (record.dueAt !== null && driven.drives(record.operation)) driven.noteDue(record.dueAt);
      return result;
    });
  }

  /** Writes a change of an intent; see `Store.commit`. */
  commit(request: CommitRequest): Promise<Committed> {
    const { ask, commits, onWritten } = this.#setup;
    return ask(async () => {
      const result = await commits.commit(() => request);
      if (result === null) throw new Error('A commit came to nothing.');
      if (result.outcome === 'ok') onWritten(request);
      return result;
    });
  }

  /** Has a claimed intent looked at again after `delayMs`, or at its deadline, without a change of it. */
  async snooze({ id, lease, deadlineAt }: IntentRecord, delayMs: number): Promise<void> {
    const { ask, options, driven } = this.#setup;
    const now = this.now();
    const leases = [{ id, lease }];
    await ask(() => options.store.renew({ now, leaseMs: delayMs, leases }));
    driven.noteDue(Math.min(now + delayMs, deadlineAt ?? Infinity));
  }

  /** One entry per id, in order. */
  get(request: GetRequest): Promise<readonly (Found | undefined)[]> {
    return this.#setup.ask(() => this.#setup.options.store.get(request));
  }

  events(request: EventsRequest): Promise<readonly (readonly StoredEvent[])[]> {
    return this.#setup.ask(() => this.#setup.options.store.events(request));
  }

  /** Newest first. Some stores look at all intents for it: never on the way of a request that is frequent. */
  list(request: ListRequest): Promise<readonly IntentRecord[]> {
    return this.#setup.ask(() => this.#setup.options.store.list(request));
  }

  /** Waits for a change of an intent, whoever makes it and wherever; see `Hub.waitFor`. */
  waitFor(request: WaitRequest): Wait {
    return this.#setup.hub.waitFor(request);
  }

  /** Calls `listener` when the process begins to stop; at once when it has. Returns what ends that. */
  onLeave(listener: () => void): () => void {
    if (this.#hasLeft) listener();
    else this.#leaving.add(listener);
    return () => this.#leaving.delete(listener);
  }

  /** Tells those who asked by {@link onLeave}; called by the engine. */
  leave(): void {
    this.#hasLeft = true;
    for (const listener of this.#leaving) listener();
    this.#leaving.clear();
  }
}
