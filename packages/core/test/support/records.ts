import * as fc from 'fast-check';
import { isTerminal, WAITING_REASONS } from '@durable-api/protocol';
import type { Command } from '../../src/state/command.ts';
import type { IntentRecord, StoredResponse } from '../../src/state/intent.ts';

/** A response as an adapter captures it. */
export const RESPONSE: StoredResponse = {
  status: 200,
  headers: { 'content-type': 'application/json' },
  body: new TextEncoder().encode('{"done":true}'),
};

/** A record with the given fields, and what follows from them. */
export function record(fields: Partial<IntentRecord>): IntentRecord {
  const status = fields.status ?? 'SUBMITTED';
  return {
    id: '01890000-0000-7000-8000-000000000001',
    operation: 'reports.generate',
    owner: '',
    createdAt: 900_000,
    deadlineAt: null,
    idempotency: null,
    seq: 7,
    status,
    waitingReason: status === 'WAITING' ? 'WAITING_FOR_TIME' : null,
    updatedAt: 950_000,
    attempt: 0,
    failures: 0,
    cancelRequestedAt: null,
    progress: null,
    error: null,
    lease: 0,
    holder: null,
    lostLeases: 0,
    dueAt: isTerminal(status) ? null : 960_000,
    ...fields,
  };
}

const failure = fc.record({
  code: fc.constantFrom('handler_error', 'attempt_timeout'),
  message: fc.string({ maxLength: 5 }),
  retryable: fc.boolean(),
});

/** Any command that somebody may give. */
export const anyCommand: fc.Arbitrary<Command> = fc.oneof(
  { arbitrary: fc.constant<Command>({ type: 'start' }), weight: 6 },
  {
    arbitrary: fc.record({
      type: fc.constant('progress' as const),
      progress: fc.record({ fraction: fc.double({ min: 0, max: 1, noNaN: true }) }),
    }),
    weight: 4,
  },
  {
    arbitrary: fc.record({ type: fc.constant('complete' as const), result: fc.constant(RESPONSE) }),
    weight: 1,
  },
  {
    arbitrary: fc.record({
      type: fc.constant('fail' as const),
      failure,
      retryAfterMs: fc.option(fc.integer({ min: 0, max: 5_000_000 })),
    }),
    weight: 4,
  },
  {
    arbitrary: fc.record({
      type: fc.constant('remember' as const),
      event: fc.constant('intent.step' as const),
      details: fc.constant({ name: 'a' }),
      notes: fc.constant([]),
    }),
    weight: 2,
  },
  {
    arbitrary: fc.record({
      type: fc.constant('suspend' as const),
      reason: fc.constantFrom(...WAITING_REASONS),
      resumeAt: fc.integer({ min: 0, max: 5_000_000 }),
      seq: fc.option(fc.integer({ min: 1, max: 20 })),
      details: fc.constant({}),
      notes: fc.constant([]),
    }),
    weight: 4,
  },
  {
    arbitrary: fc.record({
      type: fc.constant('postpone' as const),
      startAt: fc.integer({ min: 0, max: 5_000_000 }),
    }),
    weight: 2,
  },
  {
    arbitrary: fc.record({
      type: fc.constant('signal' as const),
      wakes: fc.boolean(),
      details: fc.constant({ name: 'a' }),
    }),
    weight: 2,
  },
  {
    arbitrary: fc.record({
      type: fc.constant('remind' as const),
      seq: fc.integer({ min: 1, max: 20 }),
      events: fc.constant([{ type: 'intent.reminder' as const, details: {} }]),
      resumeAt: fc.integer({ min: 0, max: 5_000_000 }),
      notes: fc.constant([]),
    }),
    weight: 2,
  },
  {
    arbitrary: fc.record({
      type: fc.constant('childrenEnded' as const),
      seq: fc.integer({ min: 1, max: 20 }),
      ends: fc.constant([{ id: 'a', operation: 'b', status: 'COMPLETED' as const }]),
      wakeAt: fc.option(fc.integer({ min: 0, max: 5_000_000 })),
      notes: fc.constant([]),
    }),
    weight: 2,
  },
  { arbitrary: fc.record({ type: fc.constant('giveUp' as const), failure }), weight: 1 },
  { arbitrary: fc.constant<Command>({ type: 'timeOut' }), weight: 1 },
  { arbitrary: fc.constant<Command>({ type: 'requestCancel' }), weight: 2 },
  {
    arbitrary: fc.record({
      type: fc.constant('requestCancel' as const),
      windDownMs: fc.integer({ min: 0, max: 5_000 }),
    }),
    weight: 1,
  },
  { arbitrary: fc.constant<Command>({ type: 'cancel' }), weight: 1 },
);
