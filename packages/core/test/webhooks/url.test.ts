import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isDurableError } from '../../src/errors.ts';
import { DurableApi } from '../../src/durable-api.ts';
import { resolveOptions } from '../../src/resolve-options.ts';
import { memoryStore } from '../../src/store/memory-store.ts';
import { parseHostPattern } from '../../src/webhooks/host-pattern.ts';
import { Webhooks } from '../../src/webhooks/webhooks.ts';
import { respond } from '../support/bed.ts';
import { receiver, SECRET } from '../support/webhook-bed.ts';

function webhooksOf(allow: readonly string[], allowPrivate: readonly string[] = []): Webhooks {
  const { webhooks } = resolveOptions({
    store: memoryStore(),
    webhooks: { secret: SECRET, allow, allowPrivate },
  });
  if (webhooks === null) throw new Error('They are off.');
  return new Webhooks(webhooks);
}

/** What is made of a URL; null when it is refused. */
function checked(url: unknown, webhooks: Webhooks): string | null {
  try {
    return webhooks.check(url);
  } catch (error) {
    if (!isDurableError(error) || error.code !== 'webhook_invalid') throw error;
    return null;
  }
}

const OWN = webhooksOf([
  'hooks.example.com',
  '*.example.org',
  'other.example.com:8443',
  'bücher.example',
]);
const ANY = webhooksOf(['*']);

describe('the URL of a webhook', () => {
  it.each([
    ['https://hooks.example.com', 'https://hooks.example.com/'],
    ['https://HOOKS.example.com:443/a?b=c#d', 'https://hooks.example.com/a?b=c'],
    ['https://a.example.org/', 'https://a.example.org/'],
    ['https://a.b.example.org/', 'https://a.b.example.org/'],
    ['https://other.example.com:8443/', 'https://other.example.com:8443/'],
    ['https://bücher.example/ü', 'https://xn--bcher-kva.example/%C3%BC'],
    ['https://ｈooks.example.com/', 'https://hooks.example.com/'],
    [' https://hooks.example.com/\n', 'https://hooks.example.com/'],
    ['https:hooks.example.com', 'https://hooks.example.com/'],
  ])('%j is allowed when its host is', (url, normal) => {
    expect(checked(url, OWN)).toBe(normal);
  });

  it.each([
    'http://hooks.example.com/',
    'ftp://hooks.example.com/',
    'javascript:alert(1)',
    'file:///etc',
    'https://example.org/',
    'https://badexample.org/',
    'https://a.example.org.evil.net/',

    'https://hooks.example.com./',
    'https://hooks.example.com:8443/',
    'https://other.example.com/',
    'https://user@hooks.example.com/',
    'https://user:pass@hooks.example.com/',
    'https://hooks.example.com@evil.net/',
    'https://evil.net\\@hooks.example.com/',
    'https://evil.net#@hooks.example.com/',
    'https://evil.net/?hooks.example.com',

    '//hooks.example.com/',
    '/done',
    '',
    'https://',
    'hooks.example.com',
    'https://hооks.example.com/',

    'https://hooks.example.com:0/',
    'https://hooks.example.com:99999/',
    'https://a%2f.example.org/',
    'https://.example.org/',
    'https://a..example.org/',
    7,
    true,
    {},
    [],
    ['https://hooks.example.com/'],
  ])('%j is refused', (url) => {
    expect(checked(url, OWN)).toBeNull();
  });

  it.each([
    'https://127.0.0.1/',
    'https://127.1/',
    'https://2130706433/',
    'https://0x7f000001/',
    'https://0177.0.0.1/',
    'https://0/',
    'https://[::1]/',
    'https://[::ffff:127.0.0.1]/',

    'https://169.254.169.254/',
    'https://8.8.8.8/',
    'https://[2606:4700::1111]/',
    'https://127。0。0。1/',

    'https://localhost/',
    'https://intranet/',
    'https://example.com./',
    'https://example.com:8443/',
  ])('%s is refused also where any name is allowed', (url) => {
    expect(checked(url, ANY)).toBeNull();
    expect(checked('https://anything.example.net/', ANY)).not.toBeNull();
  });

  it('has at most 2,048 characters in its normal form', () => {
    const beginning = 'https://hooks.example.com/';
    const longest = beginning + 'a'.repeat(2_048 - beginning.length);
    expect(checked(longest, OWN)).toBe(longest);
    expect(checked(`${longest}a`, OWN)).toBeNull();
    expect(checked(beginning + 'ü'.repeat(700), OWN)).toBeNull();
  });

  it('may be an address or a single label when that is named', () => {
    const isAllowed = (url: string, allow: string[], allowPrivate?: string[]): boolean =>
      checked(url, webhooksOf(allow, allowPrivate)) === url;
    expect(isAllowed('https://8.8.8.8/', ['8.8.8.8'])).toBe(true);
    expect(isAllowed('https://intranet/', ['intranet'])).toBe(true);
    expect(isAllowed('https://10.0.0.1/', ['10.0.0.1'])).toBe(false);
    expect(isAllowed('https://10.0.0.1/', ['10.0.0.1'], ['10.0.0.0/8'])).toBe(true);
    expect(isAllowed('https://[::1]:8443/', ['[::1]:8443'], ['::1/128'])).toBe(true);
    expect(isAllowed('https://a.example:8443/', ['*:8443'])).toBe(true);
  });

  it('is, whatever it is made of, refused or one of an allowed host over https', () => {
    const part = fc.oneof(
      fc.constantFrom(
        'https:',
        'http:',
        '//',
        '/',
        '\\',
        '@',
        ':',
        '#',
        '?',
        '%2e',
        '.',
        '。',
        '\t',
        '[',
        ']',
      ),
      fc.constantFrom(
        'hooks.example.com',
        'example.org',
        'a.',
        'evil.net',
        '127.0.0.1',
        '8443',
        '443',
      ),
      fc.string({ maxLength: 4, unit: 'binary' }),
    );
    const url = fc.array(part, { minLength: 1, maxLength: 10 }).map((parts) => parts.join(''));
    const prefixed = url.map((rest) => `https://${rest}`);
    fc.assert(
      fc.property(fc.oneof(url, prefixed), (text) => {
        const normal = checked(text, OWN);
        if (normal === null) return;
        const { protocol, hostname, port, username, password, hash } = new URL(normal);
        expect({ protocol, username, password, hash }).toEqual({
          protocol: 'https:',
          username: '',
          password: '',
          hash: '',
        });
        const isOurs =
          (['hooks.example.com', 'xn--bcher-kva.example'].includes(hostname) && port === '') ||
          (/^[^.].*\.example\.org$/.test(hostname) && port === '') ||
          (hostname === 'other.example.com' && port === '8443');
        expect(isOurs, normal).toBe(true);
        expect(checked(normal, OWN)).toBe(normal);
      }),
      { numRuns: 2_000 },
    );
  });
});

describe('a host that is allowed', () => {
  it.each([
    '',
    '*.',
    '**',
    '*.*.example.com',
    'a.*.com',
    'https://a.example',
    'a.example/',
    'a@b.example',

    'a.example.',
    'a b',
    '*.127.0.0.1',
    'a.example:0x1',
    'a.example:70000',
    '*:',
    'a?b',
    'a#b',
    null,
  ])('cannot be %j', (text) => {
    expect(parseHostPattern(text)).toBeNull();
  });
});

describe('the option webhooks', () => {
  const of = (webhooks: object): string => {
    try {
      resolveOptions({ store: memoryStore(), webhooks: { ...receiver().webhooks, ...webhooks } });
      return '';
    } catch (error) {
      return String(error);
    }
  };

  it.each([
    [{ secret: 'whsec_short' }, 'webhooks.secret: must be a secret'],
    [{ secret: [] }, 'webhooks.secret: must be a secret'],
    [{ secret: [SECRET, 'other'] }, 'webhooks.secret: must be a secret'],
    [{ allow: [] }, 'webhooks.allow: must name the hosts'],
    [{ allow: ['https://a.example'] }, 'webhooks.allow.0: must be a host'],
    [{ allowPrivate: ['10.0.0.1'] }, 'webhooks.allowPrivate.0: must be a subnet'],
    [{ allowPrivate: true }, 'webhooks.allowPrivate'],
    [{ timeoutMs: 0 }, 'webhooks.timeoutMs'],
    [{ url: 'https://a.example' }, 'Known are secret, allow, retries'],
  ])('refuses %j and says why', (wrong, message) => {
    expect(of(wrong)).toContain(message);
    expect(of(wrong)).not.toContain('whsec_short');
  });

  it('wants ended intents to stay until they are told of', () => {
    const options = { store: memoryStore(), webhooks: receiver().webhooks };
    expect(() => resolveOptions({ ...options, retention: { endedMs: 0 } })).toThrow(
      /retention\.endedMs/,
    );
  });

  it('is wanted by an operation with a webhook, whose URL is checked when it is declared', () => {
    const operation = { name: 'report', run: async () => respond() };
    const off = new DurableApi({ store: memoryStore(), worker: false });
    const webhook = 'https://hooks.example.com/';
    expect(() => off.declare(operation, { webhook })).toThrow(/needs the option webhooks/);
    const { webhooks } = receiver();
    const on = new DurableApi({ store: memoryStore(), worker: false, webhooks });
    expect(() => on.declare(operation, { webhook: 'https://evil.net/' })).toThrow(/evil\.net/);
    expect(on.declare(operation, { webhook }).options.webhook).toBe(webhook);
  });

  it('is wanted by code that names a URL', async () => {
    await using off = new DurableApi({ store: memoryStore() });
    off.declare({ name: 'report', run: async () => respond() });
    const submitted = off.intents.submit(
      'report',
      {},
      { webhookUrl: 'https://hooks.example.com/' },
    );
    await expect(submitted).rejects.toMatchObject({ code: 'options_invalid' });
  });
});
