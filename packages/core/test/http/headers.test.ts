import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { eventsForm, wantsStream } from '../../src/http/accept.ts';
import { readCursor } from '../../src/http/cursor.ts';
import { parseIdempotencyKey } from '../../src/http/idempotency-key.ts';
import { parsePrefer } from '../../src/http/prefer.ts';
import { queryNumber } from '../../src/http/query.ts';
import { plainRequest } from '../support/bed.ts';

const codeOf = (action: () => unknown): unknown => {
  try {
    action();
  } catch (error) {
    return Object(error).code;
  }
  return null;
};

describe('Prefer', () => {
  it.each([
    [undefined, null, false],
    ['', null, false],
    ['wait=10', 10, false],
    ['Wait = 10', 10, false],
    ['wait="10"', 10, false],
    ['respond-async', null, true],
    ['respond-async, wait=5', 5, true],
    ['wait=5; strict', 5, false],
    ['wait=3, wait=9', 3, false],
    ['wait=86400', 30, false],
    ['return=minimal, handling=lenient', null, false],
    ['foo="a,b;c", wait=5', 5, false],
    ['foo="a\\"b, wait=9", wait=5', 5, false],
    ['foo; bar="x,y", respond-async', null, true],
    ['foo=bar;baz=qux ; wait=1, wait=2', 2, false],
    [',, wait=1 ,', 1, false],
    ['foo=', null, false],
    ['foo=""', null, false],
  ])('%j asks to wait %j s, and to answer early: %j', (header, waitSeconds, respondAsync) => {
    expect(parsePrefer(header)).toEqual({ waitSeconds, respondAsync });
  });

  it('may come in several headers', () => {
    expect(parsePrefer(['respond-async', 'wait=4'])).toEqual({
      waitSeconds: 4,
      respondAsync: true,
    });
  });

  it.each(['wait=soon', 'wait=-1', 'wait=1.5', 'wait', 'wait="', '@', 'a b', '"x"', 'wait=1x'])(
    'is refused as %j',
    (header) => {
      expect(codeOf(() => parsePrefer(header))).toBe('prefer_invalid');
    },
  );

  it('is parsed or refused in time, whatever it is', () => {
    const part = fc.constantFrom('wait', '=', '"', '\\', ';', ',', ' ', 'a', '1', '\t', '=""');
    const text = fc.array(part, { maxLength: 400 }).map((parts) => parts.join(''));
    fc.assert(
      fc.property(text, (header) => [null, 'prefer_invalid'].includes(asCode(header))),
      { numRuns: 3_000 },
    );
    const begun = performance.now();
    for (const evil of ['=', '"', '; ', ' ', '\\"', 'a=', ',']) {
      codeOf(() => parsePrefer(`a=${evil.repeat(16_000)}`));
      codeOf(() => parsePrefer(evil.repeat(16_000)));
    }
    expect(performance.now() - begun).toBeLessThan(2_000);
  });

  const asCode = (header: string): string | null => {
    const code = codeOf(() => parsePrefer(header));
    return typeof code === 'string' ? code : null;
  };
});

describe('Accept', () => {
  it.each([
    [undefined, false, 'stream'],
    ['*/*', false, 'stream'],
    ['text/event-stream', true, 'stream'],
    ['TEXT/Event-Stream', true, 'stream'],
    ['text/event-stream, application/json', true, 'stream'],
    ['application/json', false, 'list'],
    ['application/json, text/event-stream;q=0.5', false, 'list'],
    ['application/json;q=0.5, text/event-stream', true, 'stream'],
    ['text/event-stream;q=0', false, null],
    ['text/event-stream;q=0, */*', false, 'list'],
    ['application/*', false, 'list'],
    ['text/*', false, 'stream'],
    ['text/html', false, null],
    ['*/*;q=0', false, null],
    ['', false, null],
  ])('%j wants a stream of a submit: %j, and events as %j', (accept, isStream, form) => {
    expect(wantsStream(accept)).toBe(isStream);
    expect(eventsForm(accept)).toBe(form);
  });

  it('is read whatever it is', () => {
    fc.assert(
      fc.property(fc.string({ maxLength: 100 }), (accept) => {
        wantsStream(`text/event-stream${accept}`);
        return [null, 'list', 'stream'].includes(eventsForm(accept));
      }),
    );
  });
});

describe('Idempotency-Key', () => {
  it.each([
    ['k-1', 'k-1'],
    ['"k-1"', 'k-1'],
    ['  "k-1"\t', 'k-1'],
    ['"a b"', 'a b'],
    ['"a,b"', 'a,b'],
    ['"a\\"b\\\\c"', 'a"b\\c'],
    ['a\\b', 'a\\b'],
    ['"k-1";v=1', 'k-1'],
    ['"k-1"; a="x;y\\"";b; c=?1', 'k-1'],
    ['k=1;2', 'k=1;2'],
    ['x'.repeat(255), 'x'.repeat(255)],
  ])('%j is the key %j', (header, key) => {
    expect(parseIdempotencyKey(header, true)).toBe(key);
  });

  it.each([
    '',
    ' ',
    '""',
    '"',
    '"a',
    'a"',
    '"a"b',
    '"a\\c"',
    '"é"',
    'é',
    'a b',
    'a, b',
    '"a", "b"',
    '"a" ;v',
    '"a";',
    '"a";V=1',
    '"a";v="',
    'a\u007f',
    '"a\tb"',
    'x'.repeat(256),
    `"${'x'.repeat(256)}"`,
  ])('is refused as %j', (header) => {
    expect(codeOf(() => parseIdempotencyKey(header, false))).toBe('idempotency_key_invalid');
  });

  it('is refused when there are two, and missed when it must be there', () => {
    expect(codeOf(() => parseIdempotencyKey(['a', 'a'], false))).toBe('idempotency_key_invalid');
    expect(codeOf(() => parseIdempotencyKey(undefined, true))).toBe('idempotency_key_required');
    expect(parseIdempotencyKey(undefined, false)).toBeNull();
  });

  it('is the same key bare and as a structured-field string', () => {
    const bare = fc.stringMatching(/^[\x21\x23-\x2b\x2d-\x7e]{1,100}$/);
    fc.assert(
      fc.property(bare, (key) => {
        const quoted = `"${key.replaceAll(/(["\\])/g, '\\$1')}"`;
        expect(parseIdempotencyKey(key, true)).toBe(key);
        expect(parseIdempotencyKey(quoted, true)).toBe(key);
      }),
      { numRuns: 2_000 },
    );
  });
});

describe('the cursor of an observer', () => {
  const cursor = (lastEventId: string | undefined, query = ''): number | null =>
    readCursor(
      plainRequest('GET', '/x/events', {
        query,
        headers: lastEventId === undefined ? {} : { 'last-event-id': lastEventId },
      }),
    );

  it.each([
    [undefined, '', null],
    ['', '', null],
    ['', 'since=4', 4],
    ['7', '', 7],
    ['7', 'since=4', 7],
    [undefined, 'since=4&wait_seconds=1', 4],
    [undefined, 'x=1&since=0', 0],
    [undefined, 'notsince=3', null],
    [undefined, 'since=3&since=9', 3],
    ['000012', '', 12],
  ])('is for the header %j and the query %j: %j', (header, query, after) => {
    expect(cursor(header, query)).toBe(after);
  });

  it.each(['-1', '1.5', 'x', '1e3', '9'.repeat(16), ' ', '１'])(
    'is refused as the header %j',
    (text) => {
      expect(codeOf(() => cursor(text))).toBe('last_event_id_invalid');
    },
  );

  it.each(['since=', 'since=-1', 'since=x', `since=${'9'.repeat(16)}`])(
    'is refused as the query %j',
    (query) => {
      expect(codeOf(() => cursor(undefined, query))).toBe('query_invalid');
      expect(codeOf(() => queryNumber(query, 'since'))).toBe('query_invalid');
    },
  );
});
