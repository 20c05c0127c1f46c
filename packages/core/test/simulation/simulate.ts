import { Clients } from './clients.ts';
import type { Plan } from './plan.ts';
import { promise } from './violation.ts';
import { World, type Sabotage } from './world.ts';

/** What a world came to. */
export interface Outcome {
  readonly seed: number;
  readonly steps: number;
  readonly virtualMs: number;
  readonly intentCount: number;
  readonly callCount: number;
  readonly trace: readonly string[];
  /** What was broken; null when everything held. */
  readonly violation: unknown;
}

export interface SimulateOptions {
  readonly sabotage?: Sabotage;
  readonly plan?: Partial<Plan>;
}

/** How long all that was accepted may take to end once nothing breaks any more, in ms. */
const TO_END_MS = 900_000;
/** How long everything may take to come to rest after that, in ms: a minute after others wrote there is one look. */
const TO_REST_MS = 130_000;

/** Lets the world of `seed` live to its end. Equal seeds give equal worlds. */
export async function simulate(seed: number, options: SimulateOptions = {}): Promise<Outcome> {
  const { sabotage = (store) => store, plan } = options;
  const world = new World(seed, sabotage, plan);
  const begunAt = world.clock.now();
  let steps = 0;
  try {
    const clients = new Clients(world);
    schedule(world, clients);
    const live = async (untilAt: number, isOver: () => boolean): Promise<void> => {
      while (!isOver() && (await world.clock.step(untilAt))) {
        steps += 1;
        if (world.violation !== null) throw world.violation;
        if (steps % 64 === 0) world.oracle.check();
      }
    };
    await live(begunAt + world.plan.activeMs, () => false);
    calm(world);
    await live(world.clock.now() + TO_END_MS, () => isDone(world, clients));
    world.oracle.check();
    clients.check();
    promise(isDone(world, clients), () => `8: ${unfinished(world, clients)} when all was calm`);
    await live(world.clock.now() + TO_REST_MS, () => false);
    const polls = world.plan.watches ? 0 : world.hosts.length;
    promise(world.clock.pending <= polls, () => `12: ${world.clock.pending} timers are left`);
    if (world.violation !== null) throw world.violation;
  } catch (violation) {
    return { ...figures(world, seed, steps, begunAt), violation };
  }
  return { ...figures(world, seed, steps, begunAt), violation: null };
}

function figures(
  world: World,
  seed: number,
  steps: number,
  begunAt: number,
): Omit<Outcome, 'violation'> {
  return {
    seed,
    steps,
    virtualMs: world.clock.now() - begunAt,
    intentCount: world.data.entries.size,
    callCount: world.ledger.calls,
    trace: world.trace,
  };
}

/** Plans everything that clients do and that breaks. */
function schedule(world: World, clients: Clients): void {
  const { clock, random, plan, weather } = world;
  const sometime = (action: () => void): void => {
    clock.setTimeout(action, random.int(0, plan.activeMs));
  };
  const aHost = (): number => random.int(0, plan.hostCount - 1);
  const someIntent = (use: (id: string) => void): void => {
    sometime(() => {
      const known = [...clients.acknowledged];
      if (known.length > 0) use(random.pick(known));
    });
  };
  for (let i = 0; i < plan.intentCount; i += 1) {
    const key = random.chance(0.6) ? `k-${random.int(1, 4)}` : null;
    sometime(() => clients.submit(key));
  }
  for (let i = 0; i < plan.observerCount; i += 1) someIntent((id) => clients.observe(id));
  for (let i = 0; i < plan.cancelCount; i += 1) someIntent((id) => clients.cancel(id));
  someIntent((id) => clients.look(id));
  for (let i = 0; i < plan.cancelCount; i += 1) someIntent((id) => clients.signal(id));

  const rebootSoon = (host: number): void => {
    clock.setTimeout(
      () => {
        if (world.hosts[host] === null) world.boot(host);
      },
      random.int(0, 4_000),
    );
  };
  for (let i = 0; i < plan.crashCount; i += 1) {
    sometime(() => {
      const host = aHost();
      world.crash(host);
      rebootSoon(host);
    });
  }
  for (let i = 0; i < plan.stopCount; i += 1) {
    sometime(() => {
      const host = aHost();
      const graceMs = random.pick([0, 300, 3_000]);
      world.stop(host, graceMs);
      clock.setTimeout(() => rebootSoon(host), graceMs + random.int(0, 2_000));
    });
  }
  for (let i = 0; i < plan.freezeCount; i += 1) {
    sometime(() => {
      const frozen = world.hosts[aHost()]?.process;
      if (frozen === undefined) return;
      world.note(`${frozen.name} freezes`);
      frozen.freeze();
      clock.setTimeout(
        () => {
          world.note(`${frozen.name} thaws`);
          frozen.thaw();
        },
        random.int(50, 12_000),
      );
    });
  }
  for (let i = 0; i < plan.outageCount; i += 1) {
    sometime(() => {
      const hosts = random.chance(0.5) ? [String(aHost())] : [...world.hosts.keys()].map(String);
      world.note(`the store is away for ${hosts.join(' ')}`);
      for (const host of hosts) weather.cut.add(host);
      clock.setTimeout(
        () => {
          world.note(`the store is back for ${hosts.join(' ')}`);
          for (const host of hosts) weather.cut.delete(host);
        },
        random.int(100, 10_000),
      );
    });
  }
}

/** Ends all that breaks, and has a process on every host. */
function calm(world: World): void {
  world.note('calm');
  world.weather.isCalm = true;
  world.weather.cut.clear();
  for (const [host, running] of world.hosts.entries()) {
    running?.process.thaw();
    if (running === null) world.boot(host);
  }
}

function isDone(world: World, clients: Clients): boolean {
  if (clients.observersLeft > 0 || clients.requestsLeft > 0 || world.data.live.size > 0)
    return false;
  return world.hosts.every((running) => running !== null);
}

function unfinished({ data, hosts }: World, clients: Clients): string {
  const live = [...data.live.values()].map(({ record }) => `${record.id} ${record.status}`);
  const dead = hosts.filter((running) => running === null).length;
  return [
    `${live.length} intents (${live.join(', ')})`,
    `${clients.observersLeft} observers, ${clients.requestsLeft} requests, ${dead} hosts are left`,
  ].join(', ');
}
