import { DurableError } from '../../src/errors.ts';
import type { Store, WatchHint } from '../../src/store/store.ts';
import { aroundStore, type StoreMethod } from '../support/around-store.ts';
import type { VirtualClock } from '../support/virtual-clock.ts';
import type { HostProcess } from './host.ts';
import type { Oracle } from './oracle.ts';
import type { Plan } from './plan.ts';
import type { Random } from './random.ts';
import { Violation } from './violation.ts';

/** What becomes of the calls between a process and the store. */
export interface Weather {
  /** No call arrives from this host. */
  isCut(host: string): boolean;
  /** Nothing breaks any more. */
  isCalm: boolean;
}

export interface LinkSetup {
  /** The store as it is, with what the test has sabotaged. */
  readonly inner: Store;
  readonly process: HostProcess;
  readonly host: string;
  readonly world: VirtualClock;
  readonly random: Random;
  readonly weather: Weather;
  readonly plan: Plan;
  readonly oracle: Oracle;
  readonly note: (line: string) => void;
  readonly violate: (violation: Violation) => void;
}

/**
 * The store as one process sees it over an unreliable link: calls take time, overtake each other, fail
 * before or after they were carried out, and go on when the process that made them is gone.
 */
export function linkedStore(setup: LinkSetup): Store {
  const { inner, process, world, random, weather, plan, oracle, note } = setup;

  const delayMs = (): number => {
    if (weather.isCalm || random.chance(0.8)) return random.int(0, 3);
    return random.chance(0.9) ? random.int(3, 150) : random.int(150, 4_000);
  };

  const carryOut = async <T>(method: StoreMethod, call: () => Promise<T>): Promise<T> => {
    const isLost = !weather.isCalm && random.chance(plan.faultRate);
    if (isLost && random.chance(0.5)) throw away(method, 'before');
    if (weather.isCut(setup.host)) throw away(method, 'cut off');
    const answer = await call().catch((error: unknown) => {
      if (error instanceof Violation) setup.violate(error);
      throw error;
    });
    if (isLost) throw away(method, 'after');
    return answer;
  };

  const away = (method: StoreMethod, when: string): DurableError => {
    note(`${process.name} ${method} failed ${when}`);
    return new DurableError('store_unavailable', `The link broke: ${when}.`);
  };

  const overLink = <T>(method: StoreMethod, call: () => Promise<T>): Promise<T> =>
    new Promise<T>((resolve, reject) => {
      world.setTimeout(() => {
        const answerIn = delayMs();
        const answer = (settle: () => void): void => {
          world.setTimeout(() => process.enter(settle), answerIn);
        };
        carryOut(method, call).then(
          (value) => answer(() => resolve(value)),
          (error: unknown) => answer(() => reject(error)),
        );
      }, delayMs());
    });

  const store = aroundStore(watched(inner, oracle, setup), (method, call) => {
    if (!process.isAlive) return new Promise(() => {});
    return overLink(method, call);
  });
  const { watches, clock } = plan;
  return {
    ...store,
    capabilities: { ...inner.capabilities, shared: plan.hostCount > 1, watches, clock },
    watch: (listener) => inner.watch((hint) => deliver(hint, listener)),
  };

  function deliver(hint: WatchHint, listener: (hint: WatchHint) => void): void {
    if (!watches && random.chance(0.7)) return;
    const merged = random.chance(0.2) ? { ids: null } : hint;
    world.setTimeout(() => process.enter(() => listener(merged)), delayMs());
  }
}

/** Shows the oracle what is carried out, and decides by the true time where the store has a clock. */
function watched(inner: Store, oracle: Oracle, { world, plan, process, note }: LinkSetup): Store {
  const timed = <T extends { readonly now: number }>(request: T): T =>
    plan.clock === 'store' ? { ...request, now: world.now() } : request;
  return {
    ...inner,
    async submit(batch) {
      const results = await inner.submit(batch);
      note(`${process.name} submit ${batch.map((one) => one.record.id).join(' ')}`);
      oracle.submitted(batch, results);
      return results;
    },
    async claim(request) {
      const result = await inner.claim(timed(request));
      for (const { record } of result.claimed) {
        note(`${process.name} claim ${record.id} lease ${record.lease}`);
      }
      oracle.claimed(timed(request), result);
      return result;
    },
    async renew(request) {
      const results = await inner.renew(timed(request));
      for (const [i, { id, lease, release }] of request.leases.entries()) {
        const kind = release === true ? 'release' : 'renew';
        note(`${process.name} ${kind} ${id} lease ${lease}: ${results[i]?.held}`);
      }
      oracle.renewed(timed(request), results);
      return results;
    },
    async commit(batch) {
      const results = await inner.commit(batch);
      for (const [i, { record, expected, events }] of batch.entries()) {
        const types = events.map((event) => `${event.seq} ${event.type.slice(7)}`).join(', ');
        note(
          `${process.name} commit ${record.id} lease ${expected.lease}: ${types}: ${results[i]?.outcome}`,
        );
      }
      oracle.committed(batch, results);
      return results;
    },
  };
}
