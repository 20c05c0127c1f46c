/** One POST of a webhook. */
export interface GatewayWebhook {
  readonly url: string;
  /** With the signature; lower-case names. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
  /** Aborted when it takes too long. */
  readonly signal: AbortSignal;
}

/**
 * Makes the POST of a webhook. It resolves the host, refuses what it must not reach, such as private
 * addresses, and follows no redirect.
 */
export type SendWebhook = (webhook: GatewayWebhook) => Promise<{ readonly status: number }>;
