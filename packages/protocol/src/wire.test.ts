import { expect, test } from 'vitest';
import {
  encodeEvent,
  encodeProblem,
  encodeSnapshot,
  encodeSubmitted,
  eventListSchema,
  eventSchema,
  intentLinks,
  problemSchema,
  progressSchema,
  snapshotSchema,
  submittedSchema,
} from './index.ts';

const at = Date.UTC(2026, 10, 24, 10);
const event = { seq: 7, type: 'intent.progress', status: 'IN_PROGRESS', at } as const;
const wire = JSON.parse(encodeEvent('an-id', { ...event, attempt: 1, details: { fraction: 0.5 } }));

test('the schemas accept what the encoders write, member by member', () => {
  const links = intentLinks('/reports', 'an-id');
  const source = {
    id: 'an-id',
    operation: 'reports',
    status: 'WAITING',
    seq: 9,
    attempt: 2,
    createdAt: at,
    updatedAt: at,
    waitingReason: 'WAITING_FOR_TIME',
    dueAt: at,
    deadlineAt: at,
    cancelRequestedAt: at,
    progress: { fraction: 0.5, current: 1, total: 2, message: 'half' },
    error: { code: 'handler_failed', message: 'No.', retryable: true },
  } as const;
  const snapshot = encodeSnapshot(source, links);
  const submitted = encodeSubmitted('/reports', 'an-id', at);
  const problem = encodeProblem('intent_failed', {
    detail: 'It failed.',
    intentId: 'an-id',
    links,
    error: source.error,
  });

  expect(eventSchema.parse(wire)).toEqual(wire);
  expect(snapshotSchema.parse(snapshot)).toEqual(snapshot);
  expect(submittedSchema.parse(submitted)).toEqual(submitted);
  expect(problemSchema.parse({ ...problem, more: 1 })).toEqual({ ...problem, more: 1 });
  expect(eventListSchema.parse({ ok: true, events: [wire] }).events).toEqual([wire]);
});

test('an event may have members and a type that this version does not know', () => {
  const newer = { ...wire, event_type: 'intent.from_the_future', more: 1 };
  expect(eventSchema.parse(newer)).toEqual({ ...wire, event_type: 'intent.from_the_future' });
});

test.each([
  ['seq 0', { seq: 0 }],
  ['a fractional seq', { seq: 1.5 }],
  ['a seq as text', { seq: '1' }],
  ['attempt 0', { attempt: 0 }],
  ['an unknown status', { status: 'DONE' }],
  ['a foreign event type', { event_type: 'message' }],
  ['an instant without a zone', { at: '2026-11-24T10:00:00.000' }],
  ['an instant with an offset', { at: '2026-11-24T10:00:00+01:00' }],
  ['details that are a list', { details: [] }],
])('an event with %s is refused', (_, wrong) => {
  expect(eventSchema.safeParse({ ...wire, ...wrong }).success).toBe(false);
});

test('a fraction of progress is between 0 and 1', () => {
  expect(progressSchema.safeParse({ fraction: 1 }).success).toBe(true);
  expect(progressSchema.safeParse({ fraction: 1.01 }).success).toBe(false);
  expect(progressSchema.safeParse({ fraction: -0.01 }).success).toBe(false);
});
