import type { Clock } from '../clock.ts';
import type { ResolvedWebhookOptions, WebhookAnswer, WebhookPost } from './webhook-options.ts';
import { Webhooks } from './webhooks.ts';

/** Makes POSTs where the option `webhooks` lets them go, for a package that tells of more than ends. */
export class WebhookSender {
  readonly #webhooks: Webhooks;
  readonly #clock: Clock;

  constructor(options: ResolvedWebhookOptions, clock: Clock) {
    this.#webhooks = new Webhooks(options);
    this.#clock = clock;
  }

  /**
   * The URL in its normal form.
   * @throws DurableError `webhook_invalid` for what is none, or may not be delivered to.
   */
  check(url: unknown): string {
    return this.#webhooks.check(url);
  }

  /**
   * Makes one POST, and follows no redirect. Its headers are sent as they are.
   * @throws DurableError `webhook_invalid` when the options do not let it go there any more; HandlerFault for an
   * address that may not be reached, DeliveryError for no answer
   */
  async send(post: WebhookPost): Promise<WebhookAnswer> {
    const { answerTo } = await import('./deliver.ts');
    const url = this.check(post.url);
    return answerTo(this.#webhooks, { ...post, url }, this.#clock);
  }
}
