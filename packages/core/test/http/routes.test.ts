import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { findRoute } from '../../src/http/routes.ts';

const ID = '01890000-0000-7000-8000-000000000001';

const found = (method: string, subPath: string): string => {
  try {
    const route = findRoute(method, subPath);
    return route === null ? 'none' : route.name;
  } catch (error) {
    return String(Object(error).code);
  }
};

describe('a request to an operation', () => {
  it.each([
    ['POST', '/', 'submit'],
    ['POST', '', 'submit'],
    ['GET', '/', 'none'],
    ['PUT', '/', 'none'],
    ['GET', `/${ID}`, 'snapshot'],
    ['HEAD', `/${ID}`, 'snapshot'],
    ['GET', `/${ID}/`, 'snapshot'],
    ['GET', `/${ID}/events`, 'events'],
    ['HEAD', `/${ID}/events`, 'events'],
    ['GET', `/${ID}/result`, 'result'],
    ['DELETE', `/${ID}`, 'cancel'],
    ['POST', `/${ID}/cancel`, 'cancel'],
    ['POST', `/${ID}`, 'method_not_allowed'],
    ['PATCH', `/${ID}`, 'method_not_allowed'],
    ['DELETE', `/${ID}/events`, 'method_not_allowed'],
    ['GET', `/${ID}/cancel`, 'method_not_allowed'],
    ['GET', `/${ID.toUpperCase()}`, 'snapshot_or_invalid'],
    ['GET', `/${ID.slice(1)}`, 'intent_id_invalid'],
    ['GET', `/${ID}0`, 'intent_id_invalid'],
    ['GET', `/${ID.replace('-7', '-4')}`, 'intent_id_invalid'],
    ['GET', '/new', 'none'],
    ['POST', '/cancel', 'none'],
    ['GET', '/events', 'none'],
    ['GET', `/${ID}/other`, 'none'],
    ['GET', `/${ID}/events/more`, 'none'],
    ['GET', `//${ID}`, 'none'],
    ['GET', `/x/${ID}`, 'none'],
  ])('%s %s is %s', (method, subPath, name) => {
    const expected = name === 'snapshot_or_invalid' ? ['snapshot', 'intent_id_invalid'] : [name];
    expect(expected).toContain(found(method, subPath));
  });

  it('names what is allowed', () => {
    for (const [subPath, allow] of [
      [`/${ID}`, 'GET, DELETE'],
      [`/${ID}/events`, 'GET'],
      [`/${ID}/cancel`, 'POST'],
    ] as const) {
      expect(() => findRoute('PATCH', subPath)).toThrow(
        expect.objectContaining({ options: expect.objectContaining({ allow }) }),
      );
    }
  });

  it('is found or refused whatever it is, and never taken for one with an id that is none', () => {
    const segment = fc.oneof(
      fc.constantFrom(ID, '', 'events', 'result', 'cancel', '..', '%2e', ID.toUpperCase()),
      fc.string({ maxLength: 40, unit: 'binary' }),
      fc.stringMatching(/^[0-9a-f-]{28,42}$/),
    );
    const subPath = fc.array(segment, { maxLength: 5 }).map((parts) => parts.join('/'));
    const method = fc.constantFrom('GET', 'HEAD', 'POST', 'PUT', 'DELETE', 'OPTIONS', 'PATCH', 'x');
    fc.assert(
      fc.property(method, subPath, (method, path) => {
        for (const one of [path, `/${path}`]) {
          try {
            const route = findRoute(method, one);
            if (route === null || route.name === 'submit') continue;
            expect(route.intentId).toBe(ID);
          } catch (error) {
            const { code } = Object(error);
            expect(['method_not_allowed', 'intent_id_invalid']).toContain(code);
          }
        }
      }),
      { numRuns: 20_000 },
    );
  });
});
