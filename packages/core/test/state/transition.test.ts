import { isTerminal, STATUSES, TERMINAL_STATUSES, type Status } from '@durable-api/protocol';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Command, CommandType } from '../../src/state/command.ts';
import type { IntentRecord, StoredResponse } from '../../src/state/intent.ts';
import { createIntent } from '../../src/state/submit.ts';
import { NEXT_STATUSES } from '../../src/state/next-statuses.ts';
import { transition } from '../../src/state/transition.ts';
import { freedLiveKey } from '../../src/state/live-key.ts';
import { anyCommand, record, RESPONSE } from '../support/records.ts';

const NOW = 1_000_000;
const FAILURE = { code: 'handler_error', message: 'It broke.', retryable: true };

const COMMANDS: Readonly<Record<CommandType, Command>> = {
  start: { type: 'start' },
  postpone: { type: 'postpone', startAt: NOW + 40 },
  park: {
    type: 'park',
    seq: 7,
    lease: 3,
    failure: { ...FAILURE, code: 'version_not_declared' },
    resetsOutput: true,
  },
  progress: { type: 'progress', progress: { fraction: 0.5 } },
  complete: { type: 'complete', result: RESPONSE },
  fail: { type: 'fail', failure: FAILURE, retryAfterMs: 10 },
  giveUp: { type: 'giveUp', failure: { ...FAILURE, code: 'crashed', retryable: false } },
  timeOut: { type: 'timeOut' },
  requestCancel: { type: 'requestCancel', actor: 'ann', reason: 'changed my mind' },
  cancel: { type: 'cancel' },
  remember: { type: 'remember', event: 'intent.step', details: { name: 'a' }, notes: [] },
  output: { type: 'output', details: { text: 'a' }, notes: [] },
  signal: { type: 'signal', wakes: true, details: { name: 'approved' } },
  remind: {
    type: 'remind',
    seq: 7,
    events: [{ type: 'intent.reminder', details: {} }],
    resumeAt: NOW + 20,
    notes: [],
  },
  childrenEnded: {
    type: 'childrenEnded',
    seq: 7,
    ends: [{ id: 'a', operation: 'b', status: 'COMPLETED' }],
    wakeAt: NOW + 30,
    notes: [],
  },
  suspend: {
    type: 'suspend',
    reason: 'WAITING_FOR_HUMAN',
    resumeAt: NOW + 10,
    seq: null,
    details: { signal: 'approved' },
    notes: [],
  },
};

/** The table of design §2, written down again. */
const DESIGN: Readonly<Record<Status, string>> = {
  CREATED: 'SUBMITTED',
  SUBMITTED: 'DELIVERED IN_PROGRESS WAITING FAILED CANCELED TIMED_OUT',
  DELIVERED: 'ACKNOWLEDGED IN_PROGRESS WAITING COMPLETED FAILED CANCELED TIMED_OUT',
  ACKNOWLEDGED: 'IN_PROGRESS WAITING COMPLETED FAILED CANCELED TIMED_OUT',
  IN_PROGRESS: 'WAITING COMPLETED FAILED CANCELED TIMED_OUT',
  WAITING: 'DELIVERED IN_PROGRESS COMPLETED FAILED CANCELED TIMED_OUT',
  COMPLETED: '',
  FAILED: '',
  CANCELED: '',
  TIMED_OUT: '',
};

const END = {
  giveUp: 'failed:FAILED',
  timeOut: 'timed_out:TIMED_OUT',
  cancel: 'canceled:CANCELED',
} as const;
const ATTEMPT_ONLY = {
  progress: null,
  complete: null,
  fail: null,
  remember: null,
  output: null,
  suspend: null,
  remind: null,
  postpone: null,
} as const;
const FRESH_START = 'delivered:DELIVERED in_progress:IN_PROGRESS';

/** What a command makes of an intent that somebody holds: its events, or null when it is illegal. */
const HELD: Readonly<Record<Status, Readonly<Record<CommandType, string | null>> | null>> = {
  CREATED: {
    ...ATTEMPT_ONLY,
    start: null,
    park: null,
    signal: null,
    childrenEnded: null,
    giveUp: null,
    timeOut: null,
    requestCancel: null,
    cancel: null,
  },
  SUBMITTED: {
    ...END,
    ...ATTEMPT_ONLY,
    start: FRESH_START,
    park: 'waiting:WAITING',
    requestCancel: 'cancel_requested:SUBMITTED',
    signal: 'signal:SUBMITTED',
    childrenEnded: 'child_ended:SUBMITTED',
  },
  DELIVERED: {
    ...END,
    ...ATTEMPT_ONLY,
    start: 'in_progress:IN_PROGRESS',
    park: 'waiting:WAITING',
    requestCancel: 'cancel_requested:DELIVERED',
    signal: 'signal:DELIVERED',
    childrenEnded: 'child_ended:DELIVERED',
  },
  ACKNOWLEDGED: {
    ...END,
    ...ATTEMPT_ONLY,
    start: 'in_progress:IN_PROGRESS',
    park: 'waiting:WAITING',
    requestCancel: 'cancel_requested:ACKNOWLEDGED',
    signal: 'signal:ACKNOWLEDGED',
    childrenEnded: 'child_ended:ACKNOWLEDGED',
  },
  IN_PROGRESS: {
    ...END,
    start: 'delivery_failed:IN_PROGRESS in_progress:IN_PROGRESS',
    park: 'output:IN_PROGRESS delivery_failed:IN_PROGRESS waiting:WAITING',
    progress: 'progress:IN_PROGRESS',
    remember: 'step:IN_PROGRESS',
    output: 'output:IN_PROGRESS',
    suspend: 'waiting:WAITING',
    signal: 'signal:IN_PROGRESS',
    childrenEnded: 'child_ended:IN_PROGRESS',
    remind: null,
    postpone: null,
    complete: 'completed:COMPLETED',
    fail: 'delivery_failed:IN_PROGRESS waiting:WAITING',
    requestCancel: 'cancel_requested:IN_PROGRESS',
  },
  WAITING: {
    ...END,
    ...ATTEMPT_ONLY,
    start: FRESH_START,
    park: 'waiting:WAITING',
    requestCancel: 'cancel_requested:WAITING',
    signal: 'signal:WAITING',
    childrenEnded: 'child_ended:WAITING',
    remind: 'reminder:WAITING',
  },
  COMPLETED: null,
  FAILED: null,
  CANCELED: null,
  TIMED_OUT: null,
};

function outcome(before: IntentRecord, command: Command): string | null {
  const next = transition(before, command, NOW);
  if (!next.ok) return null;
  return next.events
    .map((event) => `${event.type.replace('intent.', '')}:${event.status}`)
    .join(' ');
}

describe('the table of statuses', () => {
  it.each(STATUSES)('has the successors of %s that the design has', (status) => {
    expect(NEXT_STATUSES[status].join(' ')).toBe(DESIGN[status]);
  });
});

describe.each(STATUSES)('an intent that is %s', (status) => {
  const held = record({ status, holder: 'a', lease: 3 });
  const free = record({ status, holder: null, lease: 3, dueAt: NOW });

  it.each(Object.values(COMMANDS))('takes $type from its holder as the design says', (command) => {
    const expected = HELD[status]?.[command.type] ?? null;
    expect(outcome(held, command)).toBe(expected);
    if (expected === null) {
      const reason = isTerminal(status) ? 'terminal' : 'illegal';
      expect(transition(held, command, NOW)).toEqual({ ok: false, reason });
    }
  });

  it('ends at once by a cancel when nobody holds it, and cannot start', () => {
    const canEnd = !isTerminal(status) && status !== 'CREATED';
    expect(outcome(free, COMMANDS.requestCancel)).toBe(canEnd ? 'canceled:CANCELED' : null);
    expect(outcome(free, COMMANDS.start)).toBeNull();
  });

  it('is not asked to cancel twice', () => {
    const asked = { ...held, cancelRequestedAt: NOW - 1 };
    expect(outcome(asked, COMMANDS.requestCancel)).toBeNull();
  });
});

describe('an intent that is parked', () => {
  const found = record({ status: 'WAITING', holder: null, lease: 3, dueAt: NOW - 9, seq: 7 });

  it('stays as due as it was, and says why until it starts', () => {
    const next = transition(found, COMMANDS.park, NOW);
    expect(next).toMatchObject({
      ok: true,
      record: {
        status: 'WAITING',
        waitingReason: 'WAITING_FOR_TOOL',
        dueAt: NOW - 9,
        error: { code: 'version_not_declared' },
      },
      events: [{ details: { parked: true, reason: 'version_not_declared' } }],
    });
    if (!next.ok) return;
    const claimed = { ...next.record, holder: 'a', lease: 4 };
    expect(transition(claimed, COMMANDS.start, NOW)).toMatchObject({ record: { error: null } });
  });

  it('is parked once, and as it was found', () => {
    const next = transition(found, COMMANDS.park, NOW);
    const again = { ...COMMANDS.park, seq: 8 };
    expect(next.ok && outcome(next.record, again)).toBeNull();
    expect(outcome({ ...found, lease: 4 }, COMMANDS.park)).toBeNull();
    expect(outcome({ ...found, seq: 8 }, COMMANDS.park)).toBeNull();
  });

  it('goes on waiting for whom it waited', () => {
    const waits = { ...found, waitingReason: 'WAITING_FOR_HUMAN' } as const;
    const next = transition(waits, COMMANDS.park, NOW);
    expect(next).toMatchObject({ record: { waitingReason: 'WAITING_FOR_HUMAN' } });
  });
});

describe('an attempt under a requested cancel', () => {
  const asked = record({ status: 'IN_PROGRESS', holder: 'a', lease: 1, cancelRequestedAt: NOW });

  it('does not record a late success', () => {
    const next = transition(asked, COMMANDS.complete, NOW);
    expect(next).toMatchObject({ ok: true, record: { status: 'CANCELED' } });
    expect(outcome(asked, COMMANDS.complete)).toBe('canceled:CANCELED');
  });

  it('does not fail because its process went away', () => {
    expect(outcome(asked, COMMANDS.giveUp)).toBe('canceled:CANCELED');
  });

  it('does not retry after a failure', () => {
    expect(outcome(asked, COMMANDS.fail)).toBe('canceled:CANCELED');
  });
});

describe('the events of an intent', () => {
  const attempted = record({ status: 'IN_PROGRESS', holder: 'a', lease: 1, attempt: 2 });

  it('keep the reason of waiting while a cancel is asked of the one who claimed it', () => {
    const claimed = record({ status: 'WAITING', holder: 'a', lease: 2, attempt: 1 });
    const next = transition(claimed, COMMANDS.requestCancel, NOW);
    expect(next).toMatchObject({
      ok: true,
      record: { status: 'WAITING', waitingReason: 'WAITING_FOR_TIME' },
      events: [{ type: 'intent.cancel_requested', waitingReason: 'WAITING_FOR_TIME' }],
    });
  });

  it('name the actor and the reason of a cancel', () => {
    expect(transition(attempted, COMMANDS.requestCancel, NOW)).toMatchObject({
      record: { cancelRequestedAt: NOW },
      events: [{ actor: 'ann', details: { reason: 'changed my mind' }, attempt: 2 }],
    });
  });

  it('say when a failed attempt is retried, at the deadline at the latest', () => {
    const limited = { ...attempted, deadlineAt: NOW + 5 };
    expect(transition(limited, COMMANDS.fail, NOW)).toMatchObject({
      record: {
        status: 'WAITING',
        waitingReason: 'WAITING_FOR_TIME',
        dueAt: NOW + 5,
        holder: null,
        failures: 1,
        error: FAILURE,
      },
      events: [
        { details: { error: FAILURE, retry_at: new Date(NOW + 10).toISOString() } },
        { waitingReason: 'WAITING_FOR_TIME' },
      ],
    });
  });

  it('count a backoff from the instant that the failure bears', () => {
    const ahead = { ...attempted, updatedAt: NOW + 3 };
    expect(transition(ahead, COMMANDS.fail, NOW)).toMatchObject({
      record: { dueAt: NOW + 13 },
      events: [{ at: NOW + 3, details: { retry_at: new Date(NOW + 13).toISOString() } }, {}],
    });
  });

  it('end with the failure when no retry is left', () => {
    const last = { ...COMMANDS.fail, retryAfterMs: null };
    expect(transition(attempted, last, NOW)).toMatchObject({
      record: { status: 'FAILED', error: FAILURE, failures: 1, dueAt: null, holder: null },
      events: [{ type: 'intent.failed', details: { error: FAILURE } }],
    });
  });

  it('count an attempt once when its start is written twice', () => {
    const first = transition(
      record({ status: 'SUBMITTED', holder: 'a', lease: 1 }),
      { type: 'start', attempt: 1 },
      NOW,
    );
    if (!first.ok) throw new Error(first.reason);
    expect(first.record.attempt).toBe(1);
    expect(transition(first.record, { type: 'start', attempt: 1 }, NOW)).toEqual({
      ok: false,
      reason: 'illegal',
    });
    expect(transition(first.record, { type: 'start', attempt: 2 }, NOW)).toMatchObject({
      ok: true,
      record: { attempt: 2 },
    });
  });

  it('forget the failure of the attempt before when a new one starts', () => {
    const again = record({ status: 'WAITING', holder: 'a', lease: 2, attempt: 1, error: FAILURE });
    expect(transition(again, COMMANDS.start, NOW)).toMatchObject({
      record: { attempt: 2, error: null, waitingReason: null },
    });
  });
});

describe('the result inside intent.completed', () => {
  const attempted = record({ status: 'IN_PROGRESS', holder: 'a', lease: 1, attempt: 1 });
  const details = (response: Partial<StoredResponse>): unknown => {
    const command: Command = { type: 'complete', result: { ...RESPONSE, ...response } };
    const next = transition(attempted, command, NOW);
    return next.ok ? next.events.at(-1)?.details : next.reason;
  };
  const json = { 'content-type': 'application/json; charset=utf-8' };

  it('is the body when that is JSON of at most 16 KiB', () => {
    const text = JSON.stringify('x'.repeat(16_382));
    expect(details({ headers: json, body: Buffer.from(text) })).toEqual({
      status_code: 200,
      content_type: json['content-type'],
      result: 'x'.repeat(16_382),
    });
    expect(details({ headers: json, body: Buffer.from(`${text} `) })).not.toHaveProperty('result');
  });

  it.each([
    ['application/problem+json', true],
    ['APPLICATION/JSON', true],
    ['application/vnd.api+json;v=1', true],
    ['text/json', false],
    ['application/jsonlines', false],
    ['application/x-ndjson', false],
  ])('takes %s for JSON: %s', (type, isJson) => {
    const found = details({ headers: { 'content-type': type }, body: Buffer.from('{"a":1}') });
    expect(Object.hasOwn(Object(found), 'result')).toBe(isJson);
  });

  it('is left out when the body is empty, is not the JSON it claims to be, or has no type', () => {
    expect(details({ headers: json, body: Buffer.from('') })).not.toHaveProperty('result');
    expect(details({ headers: json, body: Buffer.from('{oops') })).not.toHaveProperty('result');
    expect(details({ headers: {}, body: Buffer.from('1') })).toEqual({ status_code: 200 });
  });

  it('is left out when it is nested so deeply that it could not be written', () => {
    const deep = '['.repeat(8_000) + ']'.repeat(8_000);
    expect(details({ headers: json, body: Buffer.from(deep) })).not.toHaveProperty('result');
    const shallow = '['.repeat(64) + ']'.repeat(64);
    expect(details({ headers: json, body: Buffer.from(shallow) })).toHaveProperty('result');
    expect(details({ headers: json, body: Buffer.from(`[${shallow}]`) })).not.toHaveProperty(
      'result',
    );
  });
});

describe('an intent with children', () => {
  const held = { status: 'IN_PROGRESS', holder: 'a', attempt: 1 } as const;
  const idle = { status: 'WAITING', waitingReason: 'WAITING_FOR_TOOL', attempt: 1 } as const;

  it.each(['complete', 'fail', 'suspend'] as const)(
    'is not canceled in place of %s, since they have to be told first',
    (type) => {
      const canceled = record({ ...held, cancelRequestedAt: NOW - 1 });
      const command = { ...COMMANDS[type], hasChildren: true };
      expect(outcome(canceled, COMMANDS[type])).toBe('canceled:CANCELED');
      expect(outcome(canceled, command)).toBeNull();
      expect(outcome(record(held), command)).toBe(outcome(record(held), COMMANDS[type]));
    },
  );

  it('that nobody works on keeps its cancel, and is looked at if nobody tells them', () => {
    const next = transition(record(idle), { type: 'requestCancel', windDownMs: 50 }, NOW);
    expect(next).toMatchObject({
      ok: true,
      record: { status: 'WAITING', cancelRequestedAt: NOW, dueAt: NOW + 50 },
      events: [{ type: 'intent.cancel_requested', status: 'WAITING' }],
    });
  });

  it('is canceled at once when it had none, unless it has moved on since', () => {
    expect(outcome(record(idle), { type: 'requestCancel', seq: 7 })).toBe('canceled:CANCELED');
    expect(outcome(record(idle), { type: 'requestCancel', seq: 6 })).toBeNull();
  });

  it('is looked at when one ends that it waits for, and no later than before', () => {
    const dueAt = (fields: Partial<IntentRecord>, wakeAt: number | null): unknown => {
      const { ends, notes } = { ends: [], notes: [] };
      const command = { type: 'childrenEnded', seq: 7, ends, notes, wakeAt } as const;
      const next = transition(record(fields), command, NOW);
      return next.ok && next.record.dueAt;
    };
    expect(dueAt({ ...idle, dueAt: NOW + 90 }, NOW + 30)).toBe(NOW + 30);
    expect(dueAt({ ...idle, dueAt: NOW + 10 }, NOW + 30)).toBe(NOW + 10);
    expect(dueAt({ ...idle, dueAt: NOW + 90 }, null)).toBe(NOW + 90);
    expect(dueAt({ ...held, dueAt: NOW + 90 }, NOW + 30)).toBe(NOW + 90);
  });
});

describe('a live key', () => {
  const waiting = record({ status: 'WAITING', liveKey: 'start:a' });
  const apply = (before: IntentRecord, command: Command): IntentRecord => {
    const next = transition(before, command, NOW);
    if (!next.ok) throw new Error(`Refused: ${next.reason}`);
    return next.record;
  };

  it('that the start frees lets the start be put off until then, and takes the lease for that', () => {
    const put = apply({ ...waiting, holder: 'a', lease: 1 }, COMMANDS.postpone);
    expect(put).toMatchObject({ status: 'WAITING', dueAt: NOW + 40, holder: null, lease: 1 });
    expect(put).toMatchObject({ liveKey: 'start:a', attempt: 0, seq: waiting.seq + 1 });
    const started = apply({ ...put, holder: 'b', lease: 2 }, COMMANDS.start);
    expect(started).not.toHaveProperty('liveKey');
    const again = apply(started, COMMANDS.suspend);
    expect(transition(again, COMMANDS.postpone, NOW)).toEqual({ ok: false, reason: 'illegal' });
    expect(freedLiveKey(put, started)).toBe('start:a');
    expect(freedLiveKey(waiting, put)).toBeUndefined();
  });

  it('that is kept until the end is kept, and puts no start off', () => {
    const kept = record({ status: 'WAITING', liveKey: 'end:a' });
    expect(transition(kept, COMMANDS.postpone, NOW)).toEqual({ ok: false, reason: 'illegal' });
    const started = apply({ ...kept, holder: 'a', lease: 1 }, COMMANDS.start);
    expect(started.liveKey).toBe('end:a');
    const ended = apply(started, COMMANDS.complete);
    expect(ended.liveKey).toBe('end:a');
    expect([freedLiveKey(kept, started), freedLiveKey(started, ended)]).toEqual([
      undefined,
      'end:a',
    ]);
  });
});

describe('a new intent', () => {
  const fresh = { id: 'i', operation: 'o', owner: '', deadlineAt: null, idempotency: null };

  it('is created and submitted in one write, and due at once', () => {
    const { record: made, events } = createIntent(fresh, NOW, null);
    expect(events.map((event) => event.type)).toEqual(['intent.created', 'intent.submitted']);
    expect(made).toMatchObject({ seq: 2, status: 'SUBMITTED', lease: 0, holder: null, dueAt: NOW });
  });

  it('waits for a start that lies ahead, for nobody to take before', () => {
    const lease = { holder: 'h', until: NOW + 5 };
    const { record: made, events } = createIntent({ ...fresh, startAt: NOW + 9 }, NOW, lease);
    expect(made).toMatchObject({ seq: 3, status: 'WAITING', waitingReason: 'WAITING_FOR_TIME' });
    expect(made).toMatchObject({ attempt: 0, lease: 0, holder: null });
    const details = { resume_at: new Date(NOW + 9).toISOString() };
    expect(events.at(-1)).toMatchObject({ seq: 3, type: 'intent.waiting', details });
    expect(createIntent({ ...fresh, startAt: NOW }, NOW, null).record.status).toBe('SUBMITTED');
  });

  it('is due at its start, or at its deadline if that comes first', () => {
    expect(createIntent({ ...fresh, startAt: NOW + 9 }, NOW, null).record.dueAt).toBe(NOW + 9);
    const late = { ...fresh, startAt: NOW + 9, deadlineAt: NOW + 4 };
    expect(createIntent(late, NOW, null).record.dueAt).toBe(NOW + 4);
  });

  it('starts in the same write under an eager lease', () => {
    const eager = { holder: 'a', until: NOW + 50 };
    const { record: made, events } = createIntent({ ...fresh, deadlineAt: NOW + 20 }, NOW, eager);
    expect(events.map((event) => event.seq)).toEqual([1, 2, 3, 4]);
    expect(made).toMatchObject({
      seq: 4,
      status: 'IN_PROGRESS',
      attempt: 1,
      lease: 1,
      holder: 'a',
      dueAt: NOW + 20,
    });
  });
});

describe('any sequence of commands', () => {
  it('numbers events without a gap, keeps terminal states, reasons, counters and time', () => {
    const given = fc.array(
      fc.record({ command: anyCommand, elapsedMs: fc.integer({ min: -1_000, max: 1_000 }) }),
      { maxLength: 40 },
    );
    fc.assert(
      fc.property(given, fc.boolean(), fc.boolean(), (steps, isHeld, isLater) => {
        const later = isLater ? { liveKey: 'start:a', startAt: NOW + 9 } : {};
        const start = createIntent(
          { id: 'i', operation: 'o', owner: '', deadlineAt: null, idempotency: null, ...later },
          NOW,
          isHeld ? { holder: 'a', until: NOW + 5 } : null,
        );
        let { record: at } = start;
        const log = [...start.events];
        let now = NOW;
        for (const { command, elapsedMs } of steps) {
          now += elapsedMs;
          // Claims, which a store makes: without them nothing could start.
          if (at.holder === null && !isTerminal(at.status)) at = { ...at, holder: 'b' };
          const next = transition(at, command, now);
          if (isTerminal(at.status)) expect(next).toEqual({ ok: false, reason: 'terminal' });
          if (!next.ok) continue;
          expect(next.events.length).toBeGreaterThan(0);
          const isFailure = command.type === 'fail';
          expect(next.record.failures - at.failures).toBe(isFailure ? 1 : 0);
          expect(next.record.attempt - at.attempt).toBe(command.type === 'start' ? 1 : 0);
          expect(next.record).toMatchObject({ lease: at.lease, lostLeases: at.lostLeases });
          log.push(...next.events);
          at = next.record;
          expect(at.waitingReason === null).toBe(at.status !== 'WAITING');
          expect(at.dueAt === null).toBe(isTerminal(at.status));
        }
        expect(log.map((event) => event.seq)).toEqual(log.map((_, i) => i + 1));
        expect(at).toMatchObject({ seq: log.length, updatedAt: log.at(-1)?.at });
        const ends = log.filter((event) => isTerminal(event.status));
        expect(ends.length).toBe(TERMINAL_STATUSES.some((end) => end === at.status) ? 1 : 0);
        for (const [i, event] of log.slice(1).entries()) {
          const before = log[i];
          if (before === undefined) continue;
          expect(event.at).toBeGreaterThanOrEqual(before.at);
          if (event.status !== before.status) {
            expect(DESIGN[before.status].split(' ')).toContain(event.status);
          }
          expect(event.waitingReason === undefined).toBe(event.status !== 'WAITING');
        }
      }),
      { numRuns: 2_000 },
    );
  });
});
