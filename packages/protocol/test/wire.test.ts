import { describe, expect, it } from 'vitest';
import {
  encodeEvent,
  encodeProblem,
  encodeSnapshot,
  encodeSubmitted,
  eventSchema,
  EVENT_TYPES,
  intentLinks,
  isTerminal,
  problemSchema,
  PROBLEMS,
  snapshotSchema,
  STATUSES,
  submittedSchema,
  type ProblemCode,
} from '../src/index.ts';

const AT = Date.UTC(2026, 10, 24, 10, 0, 0, 5);
const ID = '01890000-0000-7000-8000-000000000001';
const LINKS = intentLinks('/reports', ID);

const isCode = (code: string): code is ProblemCode => Object.hasOwn(PROBLEMS, code);

describe('the statuses', () => {
  it('are those of the design, and four of them are the end', () => {
    expect(STATUSES.join(' ')).toBe(
      'CREATED SUBMITTED DELIVERED ACKNOWLEDGED IN_PROGRESS WAITING COMPLETED FAILED CANCELED TIMED_OUT',
    );
    expect(STATUSES.filter(isTerminal)).toEqual(['COMPLETED', 'FAILED', 'CANCELED', 'TIMED_OUT']);
  });
});

describe('an event on the wire', () => {
  it('is one line of JSON in snake_case with all that it has, and nothing that it has not', () => {
    const line = encodeEvent(
      ID,
      {
        seq: 7,
        type: 'intent.waiting',
        status: 'WAITING',
        at: AT,
        attempt: 2,
        actor: 'ann',
        waitingReason: 'WAITING_FOR_TIME',
        details: { text: 'two\nlines\r\0' },
      },
      new Date(AT).toISOString(),
    );
    expect(line).not.toMatch(/[\r\n\0]/);
    expect(eventSchema.parse(JSON.parse(line))).toEqual({
      intent_id: ID,
      seq: 7,
      event_type: 'intent.waiting',
      status: 'WAITING',
      at: '2026-11-24T10:00:00.005Z',
      attempt: 2,
      actor: 'ann',
      waiting_reason: 'WAITING_FOR_TIME',
      details: { text: 'two\nlines\r\0' },
    });
  });

  it.each(EVENT_TYPES)('may be of the type %s', (type) => {
    const event = { seq: 1, type, status: 'SUBMITTED', at: AT } as const;
    const line = encodeEvent(ID, event, new Date(AT).toISOString());
    expect(Object.keys(eventSchema.parse(JSON.parse(line)))).toEqual([
      'intent_id',
      'seq',
      'event_type',
      'status',
      'at',
    ]);
  });
});

describe('a snapshot', () => {
  const source = {
    id: ID,
    operation: 'reports.generate',
    status: 'WAITING',
    seq: 6,
    attempt: 1,
    createdAt: AT,
    updatedAt: AT,
    waitingReason: 'WAITING_FOR_TIME',
    dueAt: AT + 5,
    deadlineAt: AT + 9,
    cancelRequestedAt: null,
    progress: { fraction: 0.5 },
    error: { code: 'handler_error', message: 'It broke.', retryable: true },
  } as const;

  it('says why and until when the intent waits, and no more than there is', () => {
    const snapshot = encodeSnapshot(source, LINKS);
    expect(snapshotSchema.parse(snapshot)).toEqual(snapshot);
    expect(snapshot).toMatchObject({
      waiting_reason: 'WAITING_FOR_TIME',
      resume_at: '2026-11-24T10:00:00.010Z',
      deadline_at: '2026-11-24T10:00:00.014Z',
    });
    expect(snapshot).not.toHaveProperty('cancel_requested_at');
  });

  it('has no resume_at of what does not wait', () => {
    const working = { ...source, status: 'IN_PROGRESS', waitingReason: null } as const;
    expect(encodeSnapshot(working, LINKS)).not.toHaveProperty('resume_at');
  });
});

describe('the answer to a submit', () => {
  it('is the same whatever became of the intent', () => {
    const submitted = encodeSubmitted('/reports', ID, AT);
    expect(submittedSchema.parse(submitted)).toEqual(submitted);
    expect(submitted).toMatchObject({ status: 'SUBMITTED', links: LINKS });
  });

  it('has links that are right for an operation at the root', () => {
    expect(intentLinks('/', ID)).toEqual({
      self: `/${ID}`,
      events: `/${ID}/events`,
      result: `/${ID}/result`,
      cancel: `/${ID}/cancel`,
    });
  });
});

describe.each(Object.keys(PROBLEMS).filter(isCode))('the problem %s', (code) => {
  it('is a document of RFC 9457 with a stable type', () => {
    const problem = encodeProblem(code, { detail: 'Do this.' });
    expect(problemSchema.parse(problem)).toEqual(problem);
    const [status, title] = PROBLEMS[code];
    expect(problem).toMatchObject({
      type: `urn:durable-api:problem:${code}`,
      status,
      title,
      code,
      retryable: status === 503,
    });
    expect(status).toBeGreaterThanOrEqual(400);
    expect(status).toBeLessThan(600);
  });
});
