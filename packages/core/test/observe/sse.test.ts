import { createParser, type EventSourceMessage } from 'eventsource-parser';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { encodeFrame, encodeFrames, encodeOpening, encodeRetry } from '../../src/observe/sse.ts';
import type { StoredEvent } from '../../src/store/store.ts';

interface Parsed {
  readonly events: EventSourceMessage[];
  readonly retries: number[];
  readonly comments: string[];
}

/** What an SSE client makes of a stream that comes in the given pieces. */
function parse(pieces: readonly string[]): Parsed {
  const parsed: Parsed = { events: [], retries: [], comments: [] };
  const parser = createParser({
    onEvent: (event) => parsed.events.push(event),
    onRetry: (retryMs) => parsed.retries.push(retryMs),
    onComment: (comment) => parsed.comments.push(comment),
    onError: (error) => {
      throw error;
    },
  });
  for (const piece of pieces) parser.feed(piece);
  return parsed;
}

/** Text that hurts: line ends of all kinds, field names, colons, BOM, separators of other standards. */
const hostile = fc.array(
  fc.oneof(
    fc.constantFrom('\n', '\r', '\r\n', '\n\n', '\0', '\uFEFF', '\u2028', '\u2029', '\u0085', '\v'),
    fc.constantFrom('id: 7', 'event: forged', 'data: x', 'retry: 1', ':', ': ', ' ', 'data', '\t'),
    fc.string({ maxLength: 8, unit: 'binary' }),
  ),
  { maxLength: 8 },
);
const hostileText = hostile.map((parts) => parts.join(''));
const seq = fc.integer({ min: 1, max: Number.MAX_SAFE_INTEGER });
const typeText = fc.stringMatching(/^intent\.[a-z_]{1,20}$/);
/** The JSON of any value, which is what events have. */
const json = fc.oneof(
  hostileText.map((text) => JSON.stringify({ text })),
  fc.json({ maxDepth: 2 }),
);
const anyEvent: fc.Arbitrary<StoredEvent> = fc.record({ seq, type: typeText, json });

const expected = ({ seq, type, json }: StoredEvent): EventSourceMessage => ({
  id: String(seq),
  event: type,
  data: json.split(/\r\n|\r|\n/).join('\n'),
});

describe('a framed event', () => {
  it('is read back as what it was, in whatever pieces it comes', () => {
    fc.assert(
      fc.property(fc.array(anyEvent, { maxLength: 4 }), fc.array(fc.nat(60)), (events, cuts) => {
        const text = encodeFrames(events).toString('utf8');
        const pieces: string[] = [];
        let rest = text;
        for (const cut of cuts) {
          pieces.push(rest.slice(0, cut));
          rest = rest.slice(cut);
        }
        expect(parse([...pieces, rest]).events).toEqual(
          events.map((event) => ({ ...expected(event), data: event.json.toWellFormed() })),
        );
      }),
      { numRuns: 20_000 },
    );
  });

  it('has exactly its own fields, whatever its data is', () => {
    fc.assert(
      fc.property(seq, typeText, hostileText, (seq, type, json) => {
        const event = { seq, type, json };
        const { events, retries, comments } = parse([encodeFrame(event)]);
        if (json.includes('\0')) return events.length === 1;
        const [message] = events;
        return (
          events.length === 1 &&
          retries.length === 0 &&
          comments.length === 0 &&
          message?.id === String(seq) &&
          message.event === type &&
          message.data === expected(event).data
        );
      }),
      { numRuns: 80_000 },
    );
  });

  it('is refused when its type could forge a field, and only then', () => {
    fc.assert(
      fc.property(hostileText, json, (type, json) => {
        const event = { seq: 1, type, json };
        if (/[\r\n\0]/.test(type)) expect(() => encodeFrame(event)).toThrow(RangeError);
        else expect(parse([encodeFrame(event)]).events.length).toBe(1);
      }),
      { numRuns: 20_000 },
    );
  });

  it.each(['\n', '\r', '\r\n', '\0', 'a\nid: 9', '\n\n'])('refuses %j in its type', (type) => {
    expect(() => encodeFrame({ seq: 1, type, json: '{}' })).toThrow('must not have CR, LF or NUL');
  });

  it('prefixes each line of data that has several, by whatever ends them', () => {
    const event = { seq: 1, type: 'intent.output', json: 'a\r\nb\rc\nd' };
    expect(encodeFrame(event)).toBe(
      'id: 1\nevent: intent.output\ndata: a\ndata: b\ndata: c\ndata: d\n\n',
    );
  });

  it.each([
    ['a BOM', '\uFEFF{}'],
    ['a leading space', ' {}'],
    ['a leading colon', ':{}'],
    ['LINE SEPARATOR, PARAGRAPH SEPARATOR and NEL', '{"a":"\u2028\u2029\u0085"}'],
    ['nothing', ''],
    ['an astral character', '{"a":"😀"}'],
  ])('keeps %s of its data', (_, json) => {
    const { events } = parse([encodeFrame({ seq: 5, type: 'intent.output', json })]);
    expect(events).toEqual([{ id: '5', event: 'intent.output', data: json }]);
  });

  it('begins at the start of a stream with no BOM that a client would swallow', () => {
    const opening = encodeOpening(2_000);
    const { events } = parse([opening, encodeFrame({ seq: 1, type: 'intent.created', json: '1' })]);
    expect(opening.charCodeAt(0)).toBe('r'.charCodeAt(0));
    expect(events.length).toBe(1);
  });
});

describe('a retry', () => {
  it.each([
    [0, 1_000],
    [-5, 1_000],
    [999.4, 1_000],
    [1_500.6, 1_501],
    [3_000, 3_000],
  ])('of %d ms is sent as %i', (asked, sent) => {
    expect(parse([encodeRetry(asked)])).toEqual({ events: [], retries: [sent], comments: [] });
    expect(parse([encodeOpening(asked)]).retries).toEqual([sent]);
  });
});
