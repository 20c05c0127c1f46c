import * as fc from 'fast-check';
import { isTerminal } from '@durable-api/protocol';
import { describe, expect, it } from 'vitest';
import { encodeStored } from '../../src/engine/encode-stored.ts';
import { GroupCommit } from '../../src/engine/group-commit.ts';
import { IntentWriter, type WriteOutcome } from '../../src/engine/intent-writer.ts';
import { DurableError } from '../../src/errors.ts';
import type { Command } from '../../src/state/command.ts';
import type { IntentRecord } from '../../src/state/intent.ts';
import { createIntent } from '../../src/state/submit.ts';
import { memoryData, memoryStore } from '../../src/store/memory-store.ts';
import type { Store } from '../../src/store/store.ts';
import { aroundStore } from '../support/around-store.ts';
import { anyCommand, RESPONSE } from '../support/records.ts';
import { VirtualClock } from '../support/virtual-clock.ts';

const LEASE_MS = 1_000;

/** One intent in a store, and a way to write it like several processes do. */
async function open(around?: Parameters<typeof aroundStore>[1]) {
  const clock = new VirtualClock();
  const data = memoryData();
  const store: Store =
    around === undefined ? memoryStore(data) : aroundStore(memoryStore(data), around);
  const fresh = { id: 'i', operation: 'o', owner: '', deadlineAt: null, idempotency: null };
  const { record, events } = createIntent(fresh, clock.now(), null);
  await memoryStore(data).submit([{ record, events: encodeStored('i', events), input: '{}' }]);
  const writer = (from: IntentRecord, lease: number | null): IntentWriter =>
    new IntentWriter({
      record: from,
      lease,
      commits: new GroupCommit(store),
      clock,
      onWritten: () => {},
    });
  return {
    clock,
    data,
    writer,
    stored: (): IntentRecord => {
      const entry = data.entries.get('i');
      if (entry === undefined) throw new Error('The intent is gone.');
      return entry.record;
    },
    claim: async (): Promise<IntentRecord | undefined> => {
      const now = clock.now();
      const request = { now, holder: 'h', leaseMs: LEASE_MS, operations: ['o'], limit: 1 };
      return (await memoryStore(data).claim(request)).claimed[0]?.record;
    },
  };
}

async function claimed(world: Awaited<ReturnType<typeof open>>): Promise<IntentRecord> {
  const record = await world.claim();
  if (record === undefined) throw new Error('Nothing was due.');
  return record;
}

describe('a writer that holds the lease', () => {
  it('applies commands in order and commits those of one moment together', async () => {
    const batches: number[] = [];
    const world = await open(async (method, call, request) => {
      if (method === 'commit' && Array.isArray(request)) batches.push(request.length);
      return call();
    });
    const record = await claimed(world);
    const writer = world.writer(record, record.lease);
    const commands: Command[] = [
      { type: 'start' },
      { type: 'progress', progress: { fraction: 0.5 } },
      { type: 'complete', result: RESPONSE },
    ];
    const outcomes = await Promise.all(commands.map((command) => writer.apply(command)));
    expect(outcomes.map((outcome) => outcome.outcome)).toEqual(['written', 'written', 'written']);
    expect(batches).toEqual([1]);
    expect(world.stored()).toMatchObject({ status: 'COMPLETED', seq: 6 });
    expect(world.data.entries.get('i')?.result).toEqual(RESPONSE);
  });

  it('is refused what the state machine refuses, without a write', async () => {
    const world = await open();
    const record = await claimed(world);
    const refused = await world
      .writer(record, record.lease)
      .apply({ type: 'complete', result: RESPONSE });
    expect(refused).toEqual({ outcome: 'refused', record });
    expect(world.stored().seq).toBe(2);
  });

  it('is fenced off once another one has claimed', async () => {
    const world = await open();
    const old = await claimed(world);
    const writer = world.writer(old, old.lease);
    await writer.apply({ type: 'start' });
    await world.clock.advance(LEASE_MS);
    const taken = await claimed(world);
    const before = world.stored();
    expect(await writer.apply({ type: 'complete', result: RESPONSE })).toEqual({
      outcome: 'stale',
    });
    expect(world.stored()).toEqual(before);
    await world.writer(taken, taken.lease).apply({ type: 'start' });
    expect(world.stored()).toMatchObject({ attempt: 2, lostLeases: 1, status: 'IN_PROGRESS' });
  });

  it('computes its change again from what somebody else wrote meanwhile', async () => {
    const world = await open();
    const record = await claimed(world);
    const worker = world.writer(record, record.lease);
    await worker.apply({ type: 'start' });
    await world.writer(world.stored(), null).apply({ type: 'requestCancel' });
    const done = await worker.apply({ type: 'complete', result: RESPONSE });
    expect(done).toMatchObject({ outcome: 'written', record: { status: 'CANCELED' } });
    expect(world.data.entries.get('i')?.result).toBeUndefined();
  });

  it('tells every command of a failed commit, and writes the next one', async () => {
    let isAway = true;
    const world = await open(async (method, call) => {
      if (method === 'commit' && isAway) throw new DurableError('store_unavailable', 'Away.');
      return call();
    });
    const record = await claimed(world);
    const writer = world.writer(record, record.lease);
    const commands: Command[] = [
      { type: 'start' },
      { type: 'progress', progress: { fraction: 0.1 } },
    ];
    const failed = await Promise.allSettled(commands.map((command) => writer.apply(command)));
    expect(failed.map((one) => one.status)).toEqual(['rejected', 'rejected']);
    isAway = false;
    expect(await writer.apply({ type: 'start' })).toMatchObject({ outcome: 'written' });
    expect(world.stored().seq).toBe(4);
  });

  it('does not begin a second attempt when the answer to its start was lost', async () => {
    let isLost = true;
    const world = await open(async (method, call) => {
      const answer = await call();
      if (method !== 'commit' || !isLost) return answer;
      isLost = false;
      throw new DurableError('store_unavailable', 'The answer was lost.');
    });
    const record = await claimed(world);
    const writer = world.writer(record, record.lease);
    const start: Command = { type: 'start', attempt: record.attempt + 1 };
    await expect(writer.apply(start)).rejects.toThrow('The answer was lost.');
    expect(await writer.apply(start)).toMatchObject({ outcome: 'refused', record: { attempt: 1 } });
    expect(world.stored()).toMatchObject({ attempt: 1, seq: 4 });
  });
});

describe('any interleaving of holders, strangers, lapsed leases and faults', () => {
  type Step =
    | { readonly type: 'command'; readonly by: number; readonly command: Command }
    | { readonly type: 'stranger'; readonly command: Command }
    | { readonly type: 'claim' }
    | { readonly type: 'wait'; readonly ms: number };

  const step: fc.Arbitrary<Step> = fc.oneof(
    {
      arbitrary: fc.record({
        type: fc.constant('command' as const),
        by: fc.nat(3),
        command: anyCommand,
      }),
      weight: 8,
    },
    {
      arbitrary: fc.record({
        type: fc.constant('stranger' as const),
        command: fc.constant<Command>({ type: 'requestCancel' }),
      }),
      weight: 1,
    },
    { arbitrary: fc.constant<Step>({ type: 'claim' }), weight: 3 },
    {
      arbitrary: fc.record({ type: fc.constant('wait' as const), ms: fc.integer({ max: 1_500 }) }),
      weight: 3,
    },
  );
  const fault = fc.constantFrom('none', 'none', 'none', 'before', 'after');

  it('lets no stale lease write, ends once, and leaves a log without a gap', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(step, { maxLength: 40 }),
        fc.infiniteStream(fault),
        async (steps, faults) => {
          const world = await open(async (method, call) => {
            const kind = method === 'commit' ? faults.next().value : 'none';
            if (kind === 'before') throw new DurableError('store_unavailable', 'Away.');
            const answer = await call();
            if (kind === 'after') throw new DurableError('store_unavailable', 'Lost.');
            return answer;
          });
          const holders: { readonly writer: IntentWriter; readonly lease: number }[] = [];
          for (const one of steps) {
            const before = world.stored();
            const log = [...(world.data.entries.get('i')?.commits.flat() ?? [])];
            let outcome: WriteOutcome | null = null;
            if (one.type === 'wait') await world.clock.advance(Math.max(0, one.ms));
            else if (one.type === 'claim') {
              const record = await world.claim();
              if (record !== undefined)
                holders.push({ writer: world.writer(record, record.lease), lease: record.lease });
            } else if (one.type === 'stranger') {
              outcome = await world
                .writer(before, null)
                .apply(one.command)
                .catch(() => null);
            } else {
              const holder = holders.at(-1 - one.by);
              if (holder === undefined) continue;
              outcome = await holder.writer.apply(one.command).catch(() => null);
              const isHeld = before.holder !== null && before.lease === holder.lease;
              if (!isHeld) {
                expect(outcome?.outcome).not.toBe('written');
                expect(world.stored()).toEqual(before);
              }
            }
            const after = world.stored();
            const events = world.data.entries.get('i')?.commits.flat() ?? [];
            if (isTerminal(before.status)) expect(after).toEqual(before);
            if (outcome?.outcome === 'written') expect(after.seq).toBeGreaterThan(before.seq);
            expect(events.slice(0, log.length)).toEqual(log);
            expect(events.map((event) => event.seq)).toEqual(events.map((_, i) => i + 1));
            expect(after.seq).toBe(events.length);
            expect(after.lease).toBeGreaterThanOrEqual(before.lease);
          }
        },
      ),
      { numRuns: 1_000 },
    );
  });
});
