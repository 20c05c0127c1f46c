import type { IntentRecord } from '@durable-api/core';
import { STATUSES, WAITING_REASONS } from '@durable-api/protocol';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { joinEvents, splitEvents } from '../src/event-lines.ts';
import { packRecord, unpackRecord } from '../src/intent-fields.ts';
import { packResponse, unpackResponse } from '../src/response-field.ts';

const text = fc.string({ unit: 'grapheme' });
const instant = fc.integer({ min: 0, max: 8.64e15 });
const count = fc.nat();

/** What only some intents have. */
const rare: fc.Arbitrary<Partial<IntentRecord>> = fc.record(
  {
    retriedFrom: fc.uuid(),
    parentIntentId: fc.uuid(),
    key: text,
    priority: fc.integer({ min: -100, max: 100 }),
    liveKey: text,
  },
  { requiredKeys: [] },
);

const common: fc.Arbitrary<IntentRecord> = fc.record({
  id: fc.uuid(),
  operation: text,
  owner: text,
  createdAt: instant,
  deadlineAt: fc.option(instant),
  idempotency: fc.option(fc.record({ key: text, fingerprint: text })),
  seq: count,
  status: fc.constantFrom(...STATUSES),
  waitingReason: fc.option(fc.constantFrom(...WAITING_REASONS)),
  updatedAt: instant,
  attempt: count,
  failures: count,
  cancelRequestedAt: fc.option(instant),
  progress: fc.option(fc.record({ current: count, message: text })),
  error: fc.option(fc.record({ code: text, message: text, retryable: fc.boolean() })),
  lease: count,
  // An empty holder is none: engines have ids.
  holder: fc.option(text.filter((holder) => holder !== '')),
  lostLeases: count,
  dueAt: fc.option(instant),
});

const record: fc.Arbitrary<IntentRecord> = fc
  .tuple(common, rare)
  .map(([each, { priority = 0, ...others }]) => ({
    ...each,
    ...others,
    // Only beside a key, and never 0.
    ...(others.key !== undefined && priority !== 0 && { priority }),
  }));

describe('what is packed for Redis', () => {
  it('comes back as it was: records', () => {
    fc.assert(
      fc.property(record, (each) => {
        expect(unpackRecord(each.id, packRecord(each))).toEqual(each);
      }),
    );
  });

  it('comes back as it was: the events of a commit', () => {
    const event = fc.record({ type: fc.constantFrom('intent.progress', 'x'), json: fc.json() });
    fc.assert(
      fc.property(count, fc.array(event, { minLength: 1 }), (before, each) => {
        const events = each.map((one, i) => ({ seq: before + 1 + i, ...one }));
        expect(splitEvents(before + each.length, joinEvents(events))).toEqual(events);
      }),
    );
  });

  it('comes back as it was: responses', () => {
    const response = fc.record({
      status: fc.integer({ min: 100, max: 599 }),
      headers: fc.dictionary(text, text),
      body: fc.uint8Array(),
    });
    fc.assert(
      fc.property(response, (each) => {
        const unpacked = unpackResponse(packResponse(each));
        expect(unpacked).toEqual({ ...each, headers: { ...each.headers } });
        expect(unpacked.body.buffer.byteLength).toBe(each.body.byteLength);
      }),
    );
  });

  it('is refused when it is damaged', () => {
    expect(() => unpackRecord('id', { record: '[]', meta: '1 SUBMITTED' })).toThrow('malformed');
  });
});
