import { DurableError } from '../errors.ts';
import type { Operation } from '../engine/operation.ts';
import { AddressRules } from './addresses.ts';
import {
  addressOf,
  hasEmptyLabel,
  matchesHost,
  parseHostPattern,
  type HostPattern,
} from './host-pattern.ts';
import type { ResolvedWebhookOptions } from './webhook-options.ts';
import type { WebhookWish } from './wish.ts';

/** The longest URL, in characters. */
const MAX_URL_LENGTH = 2_048;

/** What the options say of webhooks: where they may go. */
export class Webhooks {
  readonly options: ResolvedWebhookOptions;
  readonly addresses: AddressRules;
  readonly #hosts: readonly HostPattern[];

  constructor(options: ResolvedWebhookOptions) {
    this.options = options;
    this.addresses = new AddressRules(options.allowPrivate);
    this.#hosts = options.allow.map(parseHostPattern).filter((pattern) => pattern !== null);
  }

  /**
   * The URL in its normal form.
   * @throws DurableError `webhook_invalid` for what is none, or may not be delivered to.
   */
  check(url: unknown): string {
    if (typeof url !== 'string' || !URL.canParse(url))
      throw invalid('It must be an absolute URL, such as https://hooks.example.com/done.');
    const parsed = new URL(url);
    parsed.hash = '';
    if (parsed.protocol !== 'https:') throw invalid('It must begin with https://.');
    if (parsed.username !== '' || parsed.password !== '')
      throw invalid('It must not have credentials: webhooks are signed.');
    if (parsed.href.length > MAX_URL_LENGTH)
      throw invalid(`It must have at most ${MAX_URL_LENGTH} characters.`);
    const address = addressOf(parsed);
    const isAllowed =
      !hasEmptyLabel(parsed.hostname) &&
      this.#hosts.some((pattern) => matchesHost(pattern, parsed)) &&
      (address === null || this.addresses.mayReach(address));
    if (!isAllowed) throw invalid(`Webhooks may not go to ${parsed.host} from here.`);
    return parsed.href;
  }
}

/**
 * What is stored of a wish for `url`; null when there is none.
 * @throws DurableError `webhook_invalid`, or `options_invalid` where webhooks are off
 */
export function wishFor(
  webhooks: Webhooks | null,
  url: unknown,
  path: string | null,
): WebhookWish | null {
  if (url === undefined || url === null) return null;
  if (webhooks === null) {
    const message = 'Webhooks are off. Give durableApi the option webhooks: { secret, allow }.';
    throw new DurableError('options_invalid', message);
  }
  return { url: webhooks.check(url), path };
}

/** What an operation wants of all submits, where there is no request to ask about; it was checked before. */
export function ownWish({ options: { webhook } }: Operation): WebhookWish | null {
  return typeof webhook === 'string' ? { url: webhook, path: null } : null;
}

function invalid(why: string): DurableError {
  return new DurableError('webhook_invalid', `The URL of the webhook is refused. ${why}`);
}
