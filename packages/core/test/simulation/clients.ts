import { submittedSchema } from '@durable-api/protocol';
import { jsonOf, PATH, type RequestParts } from '../support/bed.ts';
import { SimSink } from './sim-sink.ts';
import { promise, Violation } from './violation.ts';
import type { World } from './world.ts';

/** What clients were told, which is what the promises are about. */
export class Clients {
  readonly #world: World;
  /** Every intent that was acknowledged. */
  readonly acknowledged = new Set<string>();
  /** The intent of each idempotency key. */
  readonly #byKey = new Map<string, string>();
  readonly cancelled = new Set<string>();
  observersLeft = 0;
  requestsLeft = 0;

  constructor(world: World) {
    this.#world = world;
  }

  /** Submits with a key and repeats until it is answered, on whatever host; or once without a key. */
  submit(key: string | null): void {
    const { random } = this.#world;
    const isWaiting = random.chance(0.2);
    const headers = {
      ...(key !== null && { 'idempotency-key': key }),
      ...(isWaiting && { prefer: `wait=${random.int(0, 10)}` }),
    };
    this.#send('POST', '/', { headers }, key !== null, (reply) => {
      if (reply.status === 202) {
        this.#acknowledge(submittedSchema.parse(jsonOf(reply)).intent_id, key);
        return;
      }
      promise(isWaiting, () => `a submit was answered ${reply.status}`);
      const id = reply.headers['intent-id'];
      if (id === undefined) return;
      this.#acknowledge(id, key);
      if (reply.status !== 200 || reply.kind === 'stream') return;
      const body = Buffer.from(reply.body).toString();
      const isOwn = this.#world.ledger.responses.get(body) === id;
      promise(isOwn, () => `3: ${id} was answered with a response that no handler gave`);
    });
  }

  /** Cancels until that is answered. */
  cancel(id: string): void {
    this.#send('DELETE', `/${id}`, {}, true, (reply) => {
      promise(
        [200, 202, 409].includes(reply.status),
        () => `a cancel was answered ${reply.status}`,
      );
      if (reply.status !== 409) this.cancelled.add(id);
    });
  }

  /** Sends a signal, once whatever is lost on the way. */
  signal(id: string): void {
    const headers = { 'idempotency-key': `signal-${id}` };
    this.#send('POST', `/${id}/signals/go`, { headers, body: { go: true } }, true, (reply) => {
      promise([202, 409].includes(reply.status), () => `a signal was answered ${reply.status}`);
    });
  }

  /** Reads the snapshot: any host knows every intent that was acknowledged. */
  look(id: string): void {
    this.#send('GET', `/${id}`, {}, true, (reply) => {
      promise(reply.status === 200, () => `1: a look at ${id} was answered ${reply.status}`);
    });
  }

  /** Observes to the end, over as many connections and hosts as that takes. */
  observe(id: string): void {
    const { random, clock, weather } = this.#world;
    this.observersLeft += 1;
    let last = 0;
    const connect = (): void => {
      const headers = {
        accept: 'text/event-stream',
        ...(last > 0 && { 'last-event-id': String(last) }),
      };
      const query = random.chance(0.2) ? `wait_seconds=${random.int(1, 5)}` : '';
      this.#world.request('GET', `/${id}/events`, { headers, query }, (reply, process) => {
        if (reply === null) return again(1_000);
        if (reply.status === 204) return this.#observed(id, last);
        if (reply.kind !== 'stream') {
          return this.#violate(`6: observing ${id} was answered ${reply.status}`);
        }
        const sink = new SimSink(
          (seq) => {
            if (seq !== last + 1) this.#violate(`6: an observer of ${id} saw ${seq} after ${last}`);
            last = seq;
          },
          () => again(sink.retryMs),
        );
        process.onDeath(() => sink.breakOff());
        process.enter(() => reply.open(sink));
        if (weather.isCalm || random.chance(0.4)) return;
        clock.setTimeout(
          () => {
            if (random.chance(0.5)) {
              sink.isSlow = true;
              clock.setTimeout(() => process.enter(() => sink.drain()), random.int(0, 5_000));
              return;
            }
            sink.breakOff();
            process.enter(() => sink.tellProcess());
          },
          random.int(0, 3_000),
        );
      });
    };
    const again = (afterMs: number): void => {
      clock.setTimeout(connect, afterMs);
    };
    connect();
  }

  /** Checks what clients were told against what became of it. */
  check(): void {
    const { entries } = this.#world.data;
    for (const id of this.acknowledged) {
      promise(entries.has(id), () => `1: ${id} was acknowledged and is gone`);
    }
    for (const id of this.cancelled) {
      const status = entries.get(id)?.record.status ?? 'gone';
      const isRight = status === 'CANCELED' || status === 'TIMED_OUT';
      promise(isRight, () => `3: ${id} was canceled and is ${status}`);
    }
  }

  #send(
    method: string,
    subPath: string,
    parts: RequestParts,
    isRepeated: boolean,
    use: (reply: { status: number } & Parameters<typeof jsonOf>[0]) => void,
  ): void {
    const { clock, random } = this.#world;
    this.requestsLeft += 1;
    let isOver = false;
    const attempt = (): void => {
      this.#world.request(method, subPath, parts, (reply) => {
        const isLost = reply === null || reply.status === 503 || random.chance(0.05);
        if (isLost && isRepeated) {
          clock.setTimeout(attempt, random.int(200, 2_000));
          return;
        }
        if (isOver) return;
        isOver = true;
        this.requestsLeft -= 1;
        if (isLost) return;
        try {
          use(reply);
        } catch (error) {
          this.#world.violate(error);
        }
      });
    };
    attempt();
  }

  #acknowledge(id: string, key: string | null): void {
    this.acknowledged.add(id);
    this.#world.note(`client has ${id} for ${key ?? 'no key'}`);
    if (key === null) return;
    const earlier = this.#byKey.get(key) ?? id;
    this.#byKey.set(key, id);
    promise(earlier === id, () => `2: ${key} made ${earlier} and ${id} at ${PATH}`);
  }

  #observed(id: string, last: number): void {
    this.observersLeft -= 1;
    const record = this.#world.data.entries.get(id)?.record;
    const isAll = record !== undefined && record.dueAt === null && record.seq === last;
    if (!isAll) this.#violate(`6: observing ${id} ended after ${last} of ${record?.seq}`);
  }

  #violate(what: string): void {
    this.#world.violate(new Violation(what));
  }
}
