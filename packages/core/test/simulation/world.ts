import { DurableApi } from '../../src/durable-api.ts';
import type { Operation } from '../../src/engine/operation.ts';
import type { PlainReply } from '../../src/http/exchange.ts';
import type { Logger } from '../../src/logger.ts';
import { memoryData, memoryStore, type MemoryData } from '../../src/store/memory-store.ts';
import type { Store } from '../../src/store/store.ts';
import { plainRequest, type RequestParts } from '../support/bed.ts';
import { VirtualClock } from '../support/virtual-clock.ts';
import { leaf, randomHandler, type Ledger } from './handler.ts';
import { HostProcess } from './host.ts';
import { linkedStore, type Weather } from './link.ts';
import { Oracle } from './oracle.ts';
import { drawPlan, type Plan } from './plan.ts';
import { Random } from './random.ts';
import { Violation } from './violation.ts';

/** Makes another store of the one that all share, to see whether its fault is found. */
export type Sabotage = (store: Store, data: MemoryData) => Store;

/** A process and what runs in it. */
export interface Running {
  readonly process: HostProcess;
  readonly api: DurableApi<string>;
  readonly operation: Operation;
}

/** Hosts, the store that they share, and what may happen to them. */
export class World {
  readonly clock: VirtualClock = new VirtualClock();
  readonly data: MemoryData = memoryData();
  readonly random: Random;
  readonly plan: Plan;
  readonly oracle: Oracle;
  readonly ledger: Ledger = {
    responses: new Map(),
    remembered: new Map(),
    traits: new Map(),
    calls: 0,
  };
  readonly weather: Weather & { readonly cut: Set<string> };
  readonly hosts: (Running | null)[] = [];
  readonly trace: string[] = [];
  /** The first promise that was broken, wherever it was noticed. */
  violation: unknown = null;
  readonly #sabotage: Sabotage;
  readonly #names = new Map<string, string>();
  #processCount = 0;

  constructor(seed: number, sabotage: Sabotage, overrides: Partial<Plan> = {}) {
    this.random = new Random(seed);
    this.plan = { ...drawPlan(this.random), ...overrides };
    this.oracle = new Oracle(this.data, this.plan);
    this.#sabotage = sabotage;
    const cut = new Set<string>();
    this.weather = { cut, isCalm: false, isCut: (host) => cut.has(host) };
    for (let i = 0; i < this.plan.hostCount; i += 1) this.boot(i);
  }

  note(line: string): void {
    const named = line.replaceAll(/[0-9a-f]{8}-[0-9a-f-]{27}/g, (id) => {
      const name = this.#names.get(id) ?? `#${this.#names.size + 1}`;
      this.#names.set(id, name);
      return name;
    });
    this.trace.push(`${this.clock.now() % 10_000_000} ${named}`);
  }

  /** Starts a process on a host that has none. */
  boot(host: number): void {
    const { plan, clock: world, random, weather, oracle } = this;
    const name = `h${host}p${(this.#processCount += 1)}`;
    const process = new HostProcess(name, world, plan.skewsMs[host] ?? 0);
    const note = (line: string): void => this.note(line);
    const inner = this.#sabotage(memoryStore(this.data), this.data);
    const violate = (error: unknown): void => this.violate(error);
    const shared = { world, random, weather, plan, oracle, note, violate };
    const link = { inner, process, host: String(host), ...shared };
    const api = new DurableApi<string>({
      ...plan.engine,
      store: linkedStore(link),
      clock: process.clock,
      random: () => random.next(),
      worker: host < plan.workerCount,
      logger: this.#logger(),
      observe: { heartbeatMs: 2_000, maxAgeMs: 10_000, stalledMs: 3_000 },
    });
    const run = randomHandler({
      process,
      random,
      plan,
      ledger: this.ledger,
      now: () => world.now(),
      deadlineOf: (id) => this.data.entries.get(id)?.record.deadlineAt ?? null,
      note,
    });
    const guarded: typeof run = (input, context) =>
      run(input, context).catch((error: unknown) => {
        if (error instanceof Violation) this.violate(error);
        throw error;
      });
    const operation = api.declare({ name: 'reports.generate', run: guarded }, plan.operation);
    api.declare({ name: 'leaf', run: leaf }, plan.operation);
    this.hosts[host] = { process, api, operation };
    note(`${name} boots`);
  }

  crash(host: number): void {
    const running = this.hosts[host];
    if (!running) return;
    this.note(`${running.process.name} crashes`);
    running.process.crash();
    this.hosts[host] = null;
  }

  /** Stops a process in good order; the host is without one from the end of that. */
  stop(host: number, graceMs: number): void {
    const running = this.hosts[host];
    if (!running) return;
    const gone = (): void => {
      if (this.hosts[host] !== running) return;
      this.crash(host);
      if (this.weather.isCalm) this.boot(host);
    };
    running.process.enter(() => {
      this.note(`${running.process.name} stops with ${graceMs} ms of grace`);
      // The link may break when the store is closed; the process ends all the same.
      void running.api.stop({ graceMs }).then(gone, gone);
    });
  }

  /**
   * Sends a request to some host. `answered` is called with the answer, or with null when the connection
   * broke; never while the process is frozen.
   */
  request(
    method: string,
    subPath: string,
    parts: RequestParts,
    answered: (reply: PlainReply | null, process: HostProcess) => void,
  ): void {
    const running = this.random.pick(this.hosts);
    if (running === null) {
      this.clock.setTimeout(() => answered(null, new HostProcess('none', this.clock, 0)), 100);
      return;
    }
    const { process, api, operation } = running;
    let isOver = false;
    const finish = (reply: PlainReply | null): void => {
      if (isOver) return;
      isOver = true;
      answered(reply, process);
    };
    process.onDeath(() => finish(null));
    process.enter(() => {
      api
        .handle(operation, plainRequest(method, subPath, parts))
        .then(finish, (error: unknown) => this.violate(error));
    });
  }

  violate(error: unknown): void {
    this.violation ??= error;
  }

  #logger(): Logger {
    const nothing = (): void => {};
    return {
      debug: nothing,
      info: nothing,
      warn: nothing,
      error: (context, message) => {
        // What handlers throw is theirs; any other error is one of the library's own.
        if (message !== 'An attempt failed') this.violate(Object(context).err ?? message);
      },
    };
  }
}
