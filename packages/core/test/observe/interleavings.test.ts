import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Hub } from '../../src/observe/hub.ts';
import { resolveOptions } from '../../src/resolve-options.ts';
import { memoryData, memoryStore } from '../../src/store/memory-store.ts';
import { aroundStore } from '../support/around-store.ts';
import { IntentLog } from '../support/intent-log.ts';
import { TestSink } from '../support/test-sink.ts';
import { VirtualClock } from '../support/virtual-clock.ts';

type Step =
  | { readonly type: 'append'; readonly count: number; readonly by: number }
  | { readonly type: 'connect'; readonly client: number; readonly to: number }
  | { readonly type: 'leave' | 'slow' | 'drain'; readonly client: number }
  | { readonly type: 'wait'; readonly ms: number };

const CLIENTS = 3;
const HUBS = 2;
const client = fc.nat(CLIENTS - 1);
const hub = fc.nat(HUBS - 1);
const step: fc.Arbitrary<Step> = fc.oneof(
  fc.record({
    type: fc.constant('append' as const),
    count: fc.integer({ min: 1, max: 5 }),
    by: hub,
  }),
  fc.record({ type: fc.constant('connect' as const), client, to: hub }),
  fc.record({ type: fc.constantFrom('leave' as const, 'slow' as const, 'drain' as const), client }),
  fc.record({ type: fc.constant('wait' as const), ms: fc.nat(40) }),
);

/** One client over all of its connections: what it has seen, in the order in which it came. */
class Client {
  readonly seen: number[] = [];
  sink: TestSink | null = null;

  connect(hub: Hub, log: IntentLog): void {
    this.leave();
    const sink = new TestSink();
    // The process reads the record some time before the stream is open.
    hub.observe({ record: log.record, after: this.last, sink });
    this.sink = sink;
  }

  /** What it has of the connections before and the one it has now. */
  get last(): number {
    return this.all.at(-1) ?? 0;
  }

  get all(): number[] {
    return [...this.seen, ...(this.sink?.seqs ?? [])];
  }

  leave(): void {
    this.seen.push(...(this.sink?.seqs ?? []));
    this.sink?.close();
    this.sink = null;
  }
}

describe('clients that come and go between processes while events are written', () => {
  it('see each event once and in order, and in the end all of them', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(step, { minLength: 5, maxLength: 60 }),
        fc.infiniteStream(fc.nat(30)),
        async (steps, delays) => {
          const clock = new VirtualClock();
          const data = memoryData();
          const delay = (): number => Number(delays.next().value);
          const store = aroundStore(memoryStore(data), async (_, call) => {
            await new Promise<void>((resolve) => clock.setTimeout(resolve, delay()));
            const answer = await call();
            await new Promise<void>((resolve) => clock.setTimeout(resolve, delay()));
            return answer;
          });
          const options = resolveOptions({ store, clock, random: () => 0.5 });
          const hubs = Array.from({ length: HUBS }, () => new Hub({ ...options, pollMs: null }));
          const log = new IntentLog(data, () => clock.now());
          await log.submit();
          const clients = Array.from({ length: CLIENTS }, () => new Client());

          const append = async (count: number, by: number, isEnd = false): Promise<void> => {
            const { record, events } = await log.append(count, isEnd);
            for (const [i, hub] of hubs.entries()) {
              if (i === by) hub.publish({ record }, events);
              else clock.setTimeout(() => void hub.refresh([record.id]), delay());
            }
          };
          for (const one of steps) {
            if (one.type === 'append') await append(one.count, one.by);
            else if (one.type === 'wait') await clock.advance(one.ms);
            else {
              const of = clients[one.client];
              const to = one.type === 'connect' ? hubs[one.to] : undefined;
              if (to !== undefined) of?.connect(to, log);
              else if (one.type === 'leave') of?.leave();
              else if (one.type === 'drain') of?.sink?.drain();
              else if (of?.sink) of.sink.isSlow = true;
            }
          }
          await append(1, 0, true);
          for (const of of clients) {
            of.sink?.drain();
            if (of.sink === null && hubs[1]) of.connect(hubs[1], log);
          }
          await clock.advance(1_000);
          for (const of of clients) {
            expect(of.all).toEqual(Array.from({ length: log.record.seq }, (_, i) => i + 1));
            expect(of.sink?.state).toBe('ended');
          }
          expect(hubs.map((hub) => hub.observerCount)).toEqual([0, 0]);
        },
      ),
      { numRuns: 500 },
    );
  });
});
