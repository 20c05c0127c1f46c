import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { canonicalJson, hashParts } from '../../src/http/fingerprint.ts';
import { decodeInput, encodeInput } from '../../src/http/input.ts';
import { checkPayload, checkPayloadSize } from '../../src/http/payload.ts';

const LIMITS = { maxPayloadBytes: 1_000, maxPayloadDepth: 4 };

const codeOf = (action: () => unknown): unknown => {
  try {
    action();
  } catch (error) {
    return Object(error).code;
  }
  return null;
};

const nested = (depth: number): unknown => (depth === 0 ? 1 : [nested(depth - 1)]);

describe('the canonical text of JSON (RFC 8785)', () => {
  it('is the one of the example in §3.2.2 and §3.2.3', () => {
    const source =
      '{"numbers":[333333333.33333329,1E30,4.50,2e-3,0.000000000000000000000000001],' +
      '"string":"\\u20ac$\\u000F\\u000aA\'\\u0042\\u0022\\u005c\\\\\\"\\/","literals":[null,true,false]}';
    expect(canonicalJson(JSON.parse(source))).toBe(
      '{"literals":[null,true,false],"numbers":[333333333.3333333,1e+30,4.5,0.002,1e-27],' +
        '"string":"€$\\u000f\\nA\'B\\"\\\\\\\\\\"/"}',
    );
  });

  it('sorts keys by their UTF-16 units, as the example of §3.2.3 does', () => {
    const source = {
      '\u20ac': 'Euro Sign',
      '\r': 'Carriage Return',
      '\ufb33': 'Hebrew Letter Dalet With Dagesh',
      '1': 'One',
      '\ud83d\ude00': 'Emoji: Grinning Face',
      '\u0080': 'Control',
      '\u00f6': 'Latin Small Letter O With Diaeresis',
    };
    const order = [...canonicalJson(source).matchAll(/:"([^"]+)"/g)].map(([, value]) => value);
    expect(order).toEqual([
      'Carriage Return',
      'One',
      'Control',
      'Latin Small Letter O With Diaeresis',
      'Euro Sign',
      'Emoji: Grinning Face',
      'Hebrew Letter Dalet With Dagesh',
    ]);
  });

  // RFC 8785, appendix B.
  it.each([
    ['0000000000000000', '0'],
    ['8000000000000000', '0'],
    ['0000000000000001', '5e-324'],
    ['8000000000000001', '-5e-324'],
    ['7fefffffffffffff', '1.7976931348623157e+308'],
    ['ffefffffffffffff', '-1.7976931348623157e+308'],
    ['4340000000000000', '9007199254740992'],
    ['c340000000000000', '-9007199254740992'],
    ['4430000000000000', '295147905179352830000'],
    ['44b52d02c7e14af5', '9.999999999999997e+22'],
    ['44b52d02c7e14af6', '1e+23'],
    ['44b52d02c7e14af7', '1.0000000000000001e+23'],
    ['444b1ae4d6e2ef4e', '999999999999999700000'],
    ['444b1ae4d6e2ef4f', '999999999999999900000'],
    ['444b1ae4d6e2ef50', '1e+21'],
    ['3eb0c6f7a0b5ed8c', '9.999999999999997e-7'],
    ['3eb0c6f7a0b5ed8d', '0.000001'],
    ['41b3de4355555553', '333333333.3333332'],
    ['41b3de4355555554', '333333333.33333325'],
    ['41b3de4355555555', '333333333.3333333'],
    ['41b3de4355555556', '333333333.3333334'],
    ['41b3de4355555557', '333333333.33333343'],
    ['becbf647612f3696', '-0.0000033333333333333333'],
    ['43143ff3c1cb0959', '1424953923781206.2'],
  ])('writes the double %s as %s', (hex, text) => {
    expect(canonicalJson(Buffer.from(hex, 'hex').readDoubleBE())).toBe(text);
  });

  it('is one for all orders of keys, and reads back as the value', () => {
    const shuffled = (value: unknown): unknown => {
      if (Array.isArray(value)) return value.map(shuffled);
      if (typeof value !== 'object' || value === null) return value;
      const entries = Object.entries(value).toReversed();
      return Object.fromEntries(entries.map(([key, item]) => [key, shuffled(item)]));
    };
    fc.assert(
      fc.property(fc.jsonValue({ maxDepth: 4 }), (value) => {
        const text = canonicalJson(value);
        expect(canonicalJson(shuffled(value))).toBe(text);
        expect(JSON.stringify(JSON.parse(text)).length).toBe(text.length);
        expect(canonicalJson(JSON.parse(JSON.stringify(value)))).toBe(text);
      }),
      { numRuns: 2_000 },
    );
  });
});

describe('the hash of several texts', () => {
  it('tells apart what is split differently', () => {
    const texts = fc.array(fc.string({ maxLength: 4 }), { maxLength: 4 });
    fc.assert(
      fc.property(texts, texts, (a, b) => {
        expect(hashParts(a) === hashParts(b)).toBe(JSON.stringify(a) === JSON.stringify(b));
      }),
      { numRuns: 5_000 },
    );
    expect(hashParts(['a', 'bc'])).not.toBe(hashParts(['ab', 'c']));
    expect(hashParts(['1:a;', ''])).not.toBe(hashParts(['', '1:a;']));
  });
});

describe('a payload', () => {
  it.each([
    ['a NUL', { a: ['x\0'] }, 'payload_nul'],
    ['a NUL in a key', { 'a\0': 1 }, 'payload_nul'],
    ['half of a surrogate pair', '\ud800', 'payload_surrogate'],
    ['half of a surrogate pair in a key', { '\udc00': 1 }, 'payload_surrogate'],
    ['__proto__', JSON.parse('{"a":{"__proto__":{"admin":true}}}'), 'payload_forbidden_key'],
    [
      'constructor.prototype',
      JSON.parse('{"constructor":{"prototype":{}}}'),
      'payload_forbidden_key',
    ],
    ['too many levels', nested(5), 'payload_too_deep'],
    ['a function', { a: () => {} }, 'payload_not_json'],
    ['a symbol', [Symbol('x')], 'payload_not_json'],
    ['a bigint', 1n, 'payload_not_json'],
  ])('is refused with %s', (_, value, code) => {
    expect(codeOf(() => checkPayload(value, LIMITS))).toBe(code);
  });

  it.each([
    ['nothing', undefined],
    ['null', null],
    ['as many levels as there may be', nested(4)],
    ['a constructor of its own', { constructor: 'ACME' }],
    ['a prototype of its own', { prototype: {} }],
    ['an emoji', '😀'],
    ['toString', { toString: 1, hasOwnProperty: 2 }],
  ])('may have %s', (_, value) => {
    expect(codeOf(() => checkPayload(value, LIMITS))).toBeNull();
  });

  it('is refused when it refers to itself', () => {
    const cycle: unknown[] = [];
    cycle.push(cycle);
    expect(codeOf(() => checkPayload(cycle, LIMITS))).toBe('payload_too_deep');
  });

  it('is measured in bytes of UTF-8, to the byte', () => {
    const limits = { maxPayloadBytes: 12, maxPayloadDepth: 4 };
    for (const [text, isFine] of [
      ['€€€€', true],
      ['€€€€x', false],
      ['x'.repeat(12), true],
      ['x'.repeat(13), false],
      ['😀😀😀', true],
      ['😀😀😀x', false],
    ] as const) {
      const code = codeOf(() => checkPayloadSize(text, limits));
      expect(code).toBe(isFine ? null : 'payload_too_large');
    }
  });

  it('says where it is wrong', () => {
    const check = (): void => checkPayload({ items: [{}, { name: 'a\0' }] }, LIMITS);
    expect(check).toThrow('body.items[1].name has a NUL character');
  });
});

describe('a stored request', () => {
  const limits = { maxPayloadBytes: 100_000, maxPayloadDepth: 16 };
  const identity = { method: 'POST', url: '/reports' };

  it('reads back as it was', () => {
    const value = fc.jsonValue({ maxDepth: 4 });
    fc.assert(
      fc.property(value, value, (body, extra) => {
        const rest = { extra };
        try {
          const { json } = encodeInput({ identity, body, rest }, limits);
          const back = decodeInput(JSON.parse(json));
          expect(JSON.stringify(back)).toBe(JSON.stringify({ body, rest }));
        } catch (error) {
          expect(String(Object(error).code)).toMatch(/^payload_/);
        }
      }),
      { numRuns: 1_000 },
    );
  });

  it('keeps bytes as bytes, and no body as none', () => {
    const bytes = Buffer.from([0, 255, 13, 10]);
    const stored = encodeInput({ identity, body: bytes, rest: {} }, limits);
    expect(decodeInput(JSON.parse(stored.json)).body).toEqual(bytes);
    const none = encodeInput({ identity, body: undefined, rest: { a: 1 } }, limits);
    expect(decodeInput(JSON.parse(none.json))).toEqual({ body: undefined, rest: { a: 1 } });
  });

  it('has one fingerprint for all spellings of one request, and another for every other', () => {
    const print = (body: unknown, url = '/reports', method = 'POST'): string =>
      encodeInput({ identity: { method, url }, body, rest: {} }, limits).fingerprint();
    expect(print({ a: 1, b: [2] })).toBe(print({ b: [2.0], a: 1 }));
    const others = [
      print({ a: 1 }),
      print({ a: '1' }),
      print({ a: 1 }, '/reports?x=1'),
      print({ a: 1 }, '/reports', 'PUT'),
      print(undefined),
      print(null),
      print(''),
      print(Buffer.from('{"a":1}')),
      print(Buffer.from('{"a":1}').toString('base64')),
      print([]),
      print({}),
      print({ at: new Date(0) }),
      print({ at: new Date(1) }),
    ];
    expect(new Set(others).size).toBe(others.length);
  });

  it('is the same for what is stored as the same', () => {
    const print = (body: unknown): string =>
      encodeInput({ identity, body, rest: {} }, limits).fingerprint();
    expect(print({ at: new Date(0) })).toBe(print({ at: '1970-01-01T00:00:00.000Z' }));
    expect(print({ a: undefined })).toBe(print({}));
    expect(print([undefined, NaN])).toBe(print([null, null]));
  });

  it('of another version is refused', () => {
    for (const odd of [null, 1, 'x', {}, { rest: null }, []]) {
      expect(() => decodeInput(odd)).toThrow('not one of this version');
    }
  });
});
