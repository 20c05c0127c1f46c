import {
  encodeProblem,
  encodeSnapshot,
  encodeSubmitted,
  EVENT_TYPES,
  eventListSchema,
  eventSchema,
  failureSchema,
  intentLinks,
  problemSchema,
  progressSchema,
  snapshotSchema,
  STATUSES,
  submittedSchema,
  ticketSchema,
  WAITING_REASONS,
} from '@durable-api/protocol';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import * as wire from '../src/wire.ts';

const now = Date.UTC(2026, 10, 24);
const at = new Date(now).toISOString();
const links = intentLinks('/reports', 'an-id');
const error = { code: 'handler_failed', message: 'No.', retryable: true };
const progress = { fraction: 0.5, current: 1, total: 2, message: 'half' };
const event = {
  intent_id: 'an-id',
  seq: 3,
  event_type: EVENT_TYPES[0],
  status: STATUSES[5],
  at,
  attempt: 1,
  actor: 'somebody',
  waiting_reason: WAITING_REASONS[0],
  details: { error, fraction: 0.5 },
};
const snapshot = encodeSnapshot(
  {
    id: 'an-id',
    operation: 'reports',
    status: 'WAITING',
    seq: 3,
    attempt: 0,
    createdAt: now,
    updatedAt: now,
    retriedFrom: 'another-id',
    waitingReason: 'WAITING_FOR_TIME',
    dueAt: now,
    deadlineAt: now,
    cancelRequestedAt: now,
    progress,
    error,
  },
  links,
);
const source = { detail: 'It failed.', intentId: 'an-id', intentStatus: 'FAILED', links, error };
const problem = encodeProblem('intent_failed', { ...source, instance: links.self });

const pairs = {
  event: [event, eventSchema, wire.isEvent],
  'event list': [{ ok: true, events: [event] }, eventListSchema, wire.isEventList],
  snapshot: [snapshot, snapshotSchema, wire.isSnapshot],
  submitted: [encodeSubmitted('/reports', 'an-id', now), submittedSchema, wire.isSubmitted],
  ticket: [
    { ok: true, intent_id: 'an-id', ticket: 'a.b.c', expires_at: at, url: '/x' },
    ticketSchema,
    wire.isTicket,
  ],
  problem: [problem, problemSchema, wire.isProblem],
  progress: [progress, progressSchema, wire.isProgress],
  failure: [error, failureSchema, wire.isFailure],
} as const;

/** What a member may be replaced by: near misses of every kind, and anything that JSON can say. */
const replacement = fc.oneof(
  fc.constantFrom<unknown>(undefined, null, '', 'x', -1, 0, 1, 1.5, 2 ** 53, true, false, {}, []),
  fc.constantFrom<unknown>(
    ...STATUSES,
    ...WAITING_REASONS,
    ...EVENT_TYPES,
    'intent.Bad',
    'intent.',
  ),
  fc.constantFrom<unknown>(at, '2026-11-24T00:00:00Z', '2026-11-24T00:00:00+01:00', '2026-11-24'),
  fc.jsonValue(),
);

/** Every path to a member of a JSON value. */
function pathsOf(value: unknown, path: readonly string[] = []): readonly (readonly string[])[] {
  if (typeof value !== 'object' || value === null) return [path];
  return [path, ...Object.entries(value).flatMap(([key, item]) => pathsOf(item, [...path, key]))];
}

/** A copy of `value` with the member at `path` replaced, or removed when that is undefined. */
function withMember(value: unknown, [key, ...rest]: readonly string[], by: unknown): unknown {
  if (key === undefined) return by;
  const copy: Record<string, unknown> = { ...Object(value) };
  const item = withMember(copy[key], rest, by);
  if (item === undefined) delete copy[key];
  else copy[key] = item;
  return Array.isArray(value) ? Object.values(copy) : copy;
}

describe.each(Object.entries(pairs))('the light check of a wire %s', (_, [sample, schema, is]) => {
  it('accepts what the server writes', () => {
    expect(is(sample)).toBe(true);
  });

  it('accepts exactly what the schema of protocol accepts', () => {
    const change = fc.tuple(fc.constantFrom(...pathsOf(sample)), replacement);
    const changes = fc.array(change, { minLength: 1, maxLength: 2 });
    const property = fc.property(changes, (list) => {
      const value = list.reduce<unknown>((v, [path, by]) => withMember(v, path, by), sample);
      expect(is(value), JSON.stringify(value)).toBe(schema.safeParse(value).success);
    });
    fc.assert(property, { numRuns: 3_000 });
  });
});
