import { describe, expect, it } from 'vitest';
import { DurableError } from '../../src/errors.ts';
import { Hub } from '../../src/observe/hub.ts';
import type { LimitOptions, ObserveOptions } from '../../src/options.ts';
import { resolveOptions } from '../../src/resolve-options.ts';
import { memoryData, memoryStore } from '../../src/store/memory-store.ts';
import { aroundStore, type StoreMethod } from '../support/around-store.ts';
import { IntentLog } from '../support/intent-log.ts';
import { TestSink } from '../support/test-sink.ts';
import { settled, VirtualClock } from '../support/virtual-clock.ts';

interface Parts {
  readonly limits?: LimitOptions;
  readonly observe?: ObserveOptions;
  readonly random?: () => number;
  readonly pollMs?: number | null;
}

/** A hub on one intent that is stored, with a store whose calls are counted and can fail. */
async function openHub(parts: Parts = {}) {
  const data = memoryData();
  const clock = new VirtualClock();
  const calls: StoreMethod[] = [];
  const link = { isAway: false };
  const store = aroundStore(memoryStore(data), async (method, call) => {
    calls.push(method);
    if (link.isAway) throw new DurableError('store_unavailable', 'Away.');
    return call();
  });
  const { limits = {}, observe = {}, random = () => 0.5, pollMs = null } = parts;
  const options = resolveOptions({ store, clock, random, limits, observe });
  const hub = new Hub({ ...options, pollMs });
  const log = new IntentLog(data, () => clock.now());
  await log.submit();
  const connect = (after = 0, maxAgeMs?: number): TestSink => {
    const sink = new TestSink();
    const age = maxAgeMs === undefined ? {} : { maxAgeMs };
    hub.observe({ record: log.record, after, sink, ...age });
    return sink;
  };
  const publish = async (...change: Parameters<IntentLog['append']>): Promise<void> => {
    const { record, events } = await log.append(...change);
    hub.publish({ record }, events);
  };
  return { hub, log, clock, calls, link, connect, publish };
}

const upTo = (last: number): number[] => Array.from({ length: last }, (_, i) => i + 1);

describe('an observer', () => {
  it('is sent what it misses, what follows, and then the end of the stream', async () => {
    const { hub, connect, publish } = await openHub();
    const sink = connect();
    await settled();
    expect(sink.seqs).toEqual([1, 2]);
    await publish(3);
    expect(sink.seqs).toEqual(upTo(5));
    await publish(1, true);
    expect(sink.seqs).toEqual(upTo(6));
    expect(sink.state).toBe('ended');
    expect(hub.observerCount).toBe(0);
  });

  it('is sent a retry of at least a second and a comment before all else', async () => {
    for (const random of [() => 0, () => 0.999]) {
      const { connect } = await openHub({ random });
      const sink = connect();
      expect(sink.writes[0]).toMatch(/^retry: \d+\n: ok\n\n$/);
      expect(sink.retries[0]).toBeGreaterThanOrEqual(1_000);
      expect(sink.retries[0]).toBeLessThanOrEqual(3_000);
      expect(sink.comments).toEqual(['ok']);
      expect(sink.flushes).toBe(sink.writes.length);
    }
  });

  it('is sent the same bytes as all others, encoded once', async () => {
    const { connect, publish } = await openHub();
    const sinks = Array.from({ length: 10 }, () => connect());
    await settled();
    await publish(2);
    const last = sinks.map((sink) => sink.writes.at(-1));
    expect(last[0]).toBeInstanceOf(Uint8Array);
    expect(new Set(last).size).toBe(1);
  });

  it('misses nothing that is written between the read of the record and its arrival', async () => {
    const { hub, log } = await openHub();
    const { record } = log;
    await log.append(3, true);
    const sink = new TestSink();
    hub.observe({ record, after: 0, sink });
    await settled();
    expect(sink.seqs).toEqual(upTo(5));
    expect(sink.state).toBe('ended');
  });

  it('sees nothing twice where others have not been told yet of what it saw elsewhere', async () => {
    const { hub, log, connect, publish } = await openHub();
    const early = connect();
    await settled();
    await log.append(3);
    // The hint for it is still under way here, but this client had it from another process.
    const late = connect(5);
    await settled();
    await hub.refresh([log.id]);
    await publish(1, true);
    await settled();
    expect(early.seqs).toEqual(upTo(6));
    expect(late.seqs).toEqual([6]);
    expect(late.state).toBe('ended');
  });

  it('is told what follows what there is when its cursor is of the future', async () => {
    const { connect, publish } = await openHub();
    const sink = connect(999);
    await publish(2);
    await settled();
    expect(sink.seqs).toEqual([3, 4]);
  });

  it('reads the store in pages when it is far behind', async () => {
    const { log, calls, connect } = await openHub();
    for (let i = 0; i < 1_000; i++) await log.append(1);
    const sink = connect();
    await settled();
    expect(sink.seqs).toEqual(upTo(1_002));
    expect(calls.filter((call) => call === 'events').length).toBe(4);
  });

  it('takes what a refresh could not read in one page from the store', async () => {
    const { hub, log, connect } = await openHub();
    const sink = connect();
    await settled();
    for (let i = 0; i < 10; i += 1) await log.append(100);
    await hub.refresh(null);
    await settled();
    expect(sink.seqs).toEqual(upTo(1_002));
  });

  it('of another intent than the one that changed costs nothing', async () => {
    const { hub, calls } = await openHub();
    await hub.refresh(['01890000-0000-7000-8000-000000000009']);
    await hub.refresh(null);
    expect(calls).toEqual([]);
  });
});

describe('a slow observer', () => {
  it('is written nothing more until it drains, and then reads on from the store', async () => {
    const { connect, publish, calls } = await openHub();
    const sink = connect();
    await settled();
    sink.isSlow = true;
    for (let i = 0; i < 100; i += 1) await publish(1);
    expect(sink.seqs).toEqual(upTo(3));
    calls.length = 0;
    sink.drain();
    await settled();
    expect(sink.seqs).toEqual(upTo(102));
    expect(calls).toEqual(['events']);
  });

  it('is dropped when it has taken nothing for stalledMs, and not before', async () => {
    const { hub, connect, publish, clock } = await openHub({ observe: { stalledMs: 30_000 } });
    const [slow, good] = [connect(), connect()];
    await settled();
    slow.isSlow = true;
    await publish(1);
    await clock.advance(29_000);
    expect(slow.state).toBe('open');
    await clock.advance(6_000);
    expect(slow.state).toBe('destroyed');
    expect(good.state).toBe('open');
    expect(hub.observerCount).toBe(1);
  });

  it('is not sent heartbeats, and no more of a replay than it takes', async () => {
    const { log, connect, clock } = await openHub();
    await log.append(200, false, 'x'.repeat(10_000));
    const sink = connect();
    sink.isSlow = true;
    await settled();
    await clock.advance(25_000);
    const bytes = sink.writes.reduce((sum, chunk) => sum + Buffer.byteLength(chunk), 0);
    expect(bytes).toBeLessThan(100_000);
    expect(sink.comments).toEqual(['ok']);
    for (let i = 0; i < 202 && sink.seqs.length < 202; i += 1) {
      sink.drain();
      sink.isSlow = true;
      await settled();
    }
    expect(sink.seqs).toEqual(upTo(202));
  });

  it('still gets the end of the stream after it drains', async () => {
    const { connect, publish } = await openHub();
    const sink = connect();
    await settled();
    sink.isSlow = true;
    await publish(1);
    await publish(1, true);
    expect(sink.state).toBe('open');
    sink.drain();
    await settled();
    expect(sink).toMatchObject({ state: 'ended', seqs: upTo(4) });
  });
});

describe('a stream', () => {
  it('is never silent for longer than heartbeatMs', async () => {
    const { connect, clock } = await openHub({ observe: { heartbeatMs: 15_000 } });
    const sink = connect();
    const writtenAt: number[] = [clock.now()];
    const write = sink.write.bind(sink);
    sink.write = (chunk) => {
      writtenAt.push(clock.now());
      return write(chunk);
    };
    await clock.advance(120_000);
    writtenAt.push(clock.now());
    const gaps = writtenAt.slice(1).map((at, i) => at - (writtenAt[i] ?? NaN));
    expect(Math.max(...gaps)).toBeLessThanOrEqual(15_000);
    expect(sink.comments.length).toBeGreaterThan(8);
    expect(sink.comments.length).toBeLessThanOrEqual(14);
    expect(sink.comments.slice(1).every((comment) => comment === '')).toBe(true);
  });

  it('sends no heartbeat while events flow', async () => {
    const { connect, publish, clock } = await openHub();
    const sink = connect();
    for (let i = 0; i < 30; i += 1) {
      await clock.advance(4_000);
      await publish(1);
    }
    expect(sink.comments).toEqual(['ok']);
  });

  it.each([
    [0, 480_000],
    [0.5, 600_000],
    [1 - 2 ** -53, 720_000],
  ])('ends at the age that a random %d makes %i ms, with a retry', async (random, ageMs) => {
    const { connect, clock, hub } = await openHub({ random: () => random });
    const sink = connect();
    await clock.advance(ageMs - 1);
    expect(sink.state).toBe('open');
    await clock.advance(5_001);
    expect(sink.state).toBe('ended');
    expect(sink.retries.length).toBe(2);
    expect(hub.observerCount).toBe(0);
  });

  it('ends after wait_seconds, on time, and at the usual age at the latest', async () => {
    const { connect, clock } = await openHub();
    const [short, long] = [connect(0, 2_000), connect(0, Number.MAX_SAFE_INTEGER)];
    await clock.advance(1_999);
    expect(short.state).toBe('open');
    await clock.advance(1);
    expect(short.state).toBe('ended');
    expect(long.state).toBe('open');
    await clock.advance(605_000);
    expect(long.state).toBe('ended');
  });

  it('leaves no timer behind when it ends', async () => {
    const { connect, clock, hub } = await openHub();
    const sinks = [connect(0, 3_600_000), connect(), connect(0, 60_000)];
    await settled();
    for (const sink of sinks) sink.close();
    await clock.advance(6_000);
    expect(hub.observerCount).toBe(0);
    expect(clock.pending).toBe(0);
  });

  it('that fails does not disturb the others, nor who publishes', async () => {
    const { hub, connect, publish } = await openHub();
    const [bad, good] = [connect(), connect()];
    await settled();
    bad.write = () => {
      throw new Error('The socket is gone.');
    };
    await publish(1);
    expect(good.seqs).toEqual(upTo(3));
    expect(bad.state).toBe('destroyed');
    expect(hub.observerCount).toBe(1);
  });

  it('whose replay cannot be read ends, and the client comes back for it', async () => {
    const { connect, link } = await openHub();
    link.isAway = true;
    const sink = connect();
    await settled();
    expect(sink).toMatchObject({ state: 'ended', events: [] });
    expect(sink.retries.length).toBe(2);
  });
});

describe('the limits of observers', () => {
  it('answer one too many of an intent with a retry and the end, without a read', async () => {
    const { hub, connect, calls } = await openHub({ limits: { maxObserversPerIntent: 2 } });
    const sinks = [connect(), connect()];
    await settled();
    calls.length = 0;
    const refused = connect();
    expect(refused).toMatchObject({ state: 'ended', events: [] });
    expect(refused.retries[0]).toBeGreaterThanOrEqual(1_000);
    await settled();
    expect(calls).toEqual([]);
    sinks[0]?.close();
    expect(connect().state).toBe('open');
    expect(hub.observerCount).toBe(2);
  });

  it('answer one too many of the process the same', async () => {
    const { connect, calls } = await openHub({ limits: { maxObservers: 3 } });
    const sinks = [connect(), connect(), connect(), connect()];
    expect(sinks.map((sink) => sink.state)).toEqual(['open', 'open', 'open', 'ended']);
    for (const sink of sinks) sink.close();
    await settled();
    calls.length = 0;
  });
});

describe('a hub that leaves', () => {
  it('ends its streams, each with a retry of 1 to 3 s, lets none begin and keeps no timer', async () => {
    const { hub, connect, clock } = await openHub();
    const sinks = [connect(), connect(0, 60_000)];
    await settled();
    hub.leave();
    for (const sink of [...sinks, connect()]) {
      expect(sink.state).toBe('ended');
      expect(sink.retries.at(-1)).toBeGreaterThanOrEqual(1_000);
      expect(sink.retries.at(-1)).toBeLessThanOrEqual(3_000);
    }
    expect(hub.observerCount).toBe(0);
    expect(clock.pending).toBe(0);
  });
});

describe('a wait', () => {
  const isEnded = ({ record }: { record: { dueAt: number | null } }): boolean =>
    record.dueAt === null;

  it('ends with the first change that is enough', async () => {
    const { hub, log, publish } = await openHub();
    const wait = hub.waitFor({ record: log.record, enough: isEnded, timeoutMs: 1_000 });
    await publish(1);
    await publish(1, true);
    expect((await wait.change)?.record).toEqual(log.record);
  });

  it('ends at once when it happened between the read of the record and the call', async () => {
    const { hub, log } = await openHub();
    const { record } = log;
    await log.append(1, true);
    const wait = hub.waitFor({ record, enough: isEnded, timeoutMs: 1_000 });
    expect((await wait.change)?.record.status).toBe('COMPLETED');
  });

  it('ends at once when others here were told of it before the call', async () => {
    const { hub, log, connect, publish } = await openHub();
    const { record } = log;
    const slow = connect();
    await settled();
    slow.isSlow = true;
    await publish(1);
    await publish(1, true);
    expect(slow.state).toBe('open');
    const wait = hub.waitFor({ record, enough: isEnded, timeoutMs: 1_000 });
    expect((await wait.change)?.record.status).toBe('COMPLETED');
  });

  it('ends with null after its time, and when it is cancelled, and leaves nothing behind', async () => {
    const { hub, log, clock, calls } = await openHub();
    const waits = [1_000, 60_000].map((timeoutMs) =>
      hub.waitFor({ record: log.record, enough: isEnded, timeoutMs }),
    );
    await clock.advance(1_000);
    expect(await waits[0]?.change).toBeNull();
    waits[1]?.cancel();
    expect(await waits[1]?.change).toBeNull();
    expect(clock.pending).toBe(0);
    calls.length = 0;
    await hub.refresh(null);
    expect(calls).toEqual([]);
  });

  it('sees what a change of another process makes of it after the hint', async () => {
    const { hub, log } = await openHub();
    const wait = hub.waitFor({ record: log.record, enough: isEnded, timeoutMs: 1_000 });
    await log.append(1, true);
    await hub.refresh([log.id]);
    expect((await wait.change)?.record.status).toBe('COMPLETED');
  });
});

describe('a look at the store', () => {
  it('that failed is repeated until it succeeds, while somebody observes', async () => {
    const { hub, log, connect, clock, link } = await openHub();
    const sink = connect();
    await settled();
    await log.append(1, true);
    link.isAway = true;
    await hub.refresh([log.id]);
    await clock.advance(10_000);
    expect(sink.state).toBe('open');
    link.isAway = false;
    await clock.advance(1_000);
    expect(sink).toMatchObject({ state: 'ended', seqs: upTo(3) });
    await clock.advance(6_000);
    expect(clock.pending).toBe(0);
  });

  it('is taken every pollMs where the store does not report what others write', async () => {
    const { log, connect, clock, calls } = await openHub({ pollMs: 5_000 });
    await clock.advance(60_000);
    expect(calls).toEqual([]);
    const sink = connect();
    await settled();
    await log.append(1);
    await clock.advance(5_000);
    expect(sink.seqs).toEqual(upTo(3));
    await log.append(1, true);
    await clock.advance(5_000);
    expect(sink.state).toBe('ended');
    calls.length = 0;
    await clock.advance(60_000);
    expect(calls).toEqual([]);
  });
});
