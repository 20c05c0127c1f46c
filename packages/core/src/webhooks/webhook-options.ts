import { z } from 'zod';
import { DurableError } from '../errors.ts';
import type { BackoffOptions } from '../options.ts';
import { isSubnet } from './addresses.ts';
import { parseHostPattern } from './host-pattern.ts';

/** What webhooks are signed with: `whsec_` and 24 to 64 random bytes in base64; several while one replaces another. */
export type WebhookSecret = string | readonly string[];

/** One POST of a delivery. */
export interface WebhookPost {
  readonly url: string;
  /** With the signature; lower-case names. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
  /** Aborted when the delivery must stop. */
  readonly signal: AbortSignal;
}

/** What a receiver answered. */
export interface WebhookAnswer {
  readonly status: number;
  /** Its `Retry-After`, if it has one. */
  readonly retryAfter?: string | undefined;
}

/**
 * Webhooks that tell of the ends of intents, signed as Standard Webhooks are. Off unless given. Give them to
 * all processes.
 */
export interface WebhookOptions {
  /** What they are signed with, for all or for each owner. With several, each webhook has a signature of each. */
  readonly secret: WebhookSecret | ((owner: string) => WebhookSecret | Promise<WebhookSecret>);
  /**
   * The hosts that they may go to: `hooks.example.com`, `*.example.com` for all under it, `*` for any name;
   * with `:8443` where the port is not 443.
   */
  readonly allow: readonly string[];
  /** How many attempts may follow a failed one. Default 15: about a day and a half. */
  readonly retries?: number | undefined;
  /** Default `{ baseMs: 5_000, factor: 4, maxMs: 21_600_000 }`. */
  readonly backoff?: BackoffOptions | undefined;
  /** Longest duration of one attempt, from the look-up of the host on. Default 15,000 ms. */
  readonly timeoutMs?: number | undefined;
  /** Most deliveries that each process makes at once. Default 20. */
  readonly concurrency?: number | undefined;
  /**
   * Subnets that may be delivered to although they are not public, such as `10.0.0.0/8`. Default: none; all
   * that is not the public internet is refused.
   */
  readonly allowPrivate?: readonly string[] | undefined;
  /** Certificates, in PEM, of the authorities to trust in place of the well-known ones. */
  readonly ca?: string | readonly string[] | undefined;
  /**
   * Makes the POST in place of the library, for instance through a proxy: then it is its task to resolve the
   * host, to refuse addresses and to follow no redirect.
   */
  readonly send?: ((post: WebhookPost) => Promise<WebhookAnswer>) | undefined;
}

type Optional = 'send' | 'ca' | 'backoff';

/** The same with every default in place. */
export type ResolvedWebhookOptions = Pick<WebhookOptions, Optional> & {
  readonly [K in Exclude<keyof WebhookOptions, Optional>]-?: Exclude<WebhookOptions[K], undefined>;
};

const SECRET = /^whsec_(?:[A-Za-z0-9+/]{4})+(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/;
const MIN_SECRET_BYTES = 24;
const MAX_SECRET_BYTES = 64;

/** The secrets that a value names; null when it is none. */
export function secretsOf(value: unknown): readonly string[] | null {
  const list: unknown[] = Array.isArray(value) ? value : [value];
  const secrets = list.filter(isSecret);
  return secrets.length > 0 && secrets.length === list.length ? secrets : null;
}

function isSecret(value: unknown): value is string {
  if (typeof value !== 'string' || !SECRET.test(value)) return false;
  const bytes = Buffer.from(value.slice('whsec_'.length), 'base64').byteLength;
  return bytes >= MIN_SECRET_BYTES && bytes <= MAX_SECRET_BYTES;
}

/** The schema of {@link WebhookOptions}. */
export function webhookOptionsSchema(
  backoff: z.ZodType<BackoffOptions>,
): z.ZodType<ResolvedWebhookOptions> {
  const given = <T>(what: string, test: (value: unknown) => boolean): z.ZodType<T> =>
    z.custom<T>(test, { error: `must be ${what}` });
  return z.strictObject({
    secret: given<ResolvedWebhookOptions['secret']>(
      'a secret, "whsec_" and 24 to 64 random bytes in base64; a list of them; or a function of the owner',
      (value) => typeof value === 'function' || secretsOf(value) !== null,
    ),
    allow: z
      .array(
        given<string>(
          'a host: "hooks.example.com", "*.example.com" or "*"; with ":8443" where the port is not 443',
          (value) => parseHostPattern(value) !== null,
        ),
      )
      .min(1, { error: 'must name the hosts that webhooks may go to' }),
    retries: z.int().min(0).max(1_000).default(15),
    backoff: backoff.optional(),
    timeoutMs: z.int().min(100).max(300_000).default(15_000),
    concurrency: z.int().min(1).default(20),
    allowPrivate: z
      .array(given<string>('a subnet, such as "10.0.0.0/8" or "fd00::/8"', isSubnet))
      .default([]),
    ca: z.union([z.string(), z.array(z.string())]).optional(),
    send: given<WebhookOptions['send']>('a function', (v) => typeof v === 'function').optional(),
  });
}

/** How long ended intents stay at least, so that a delivery finds what it is to tell of, in ms. */
const MIN_ENDED_MS = 60_000;

/** @throws DurableError `options_invalid` when ended intents are removed before anybody is told of them */
export function checkRetention(endedMs: number | null): void {
  if (endedMs === null || endedMs >= MIN_ENDED_MS) return;
  const message =
    `Invalid durableApi options:\n  retention.endedMs: must be at least ${MIN_ENDED_MS} with webhooks, which ` +
    `tell of intents that have ended, received number ${endedMs}`;
  throw new DurableError('options_invalid', message);
}
