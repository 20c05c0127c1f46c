import { HEADERS } from '@durable-api/protocol';
import { Webhook } from 'standardwebhooks';
import { DeliveryError } from './delivery-error.ts';
import { secretsOf, type ResolvedWebhookOptions } from './webhook-options.ts';

/**
 * The headers by which a receiver knows who has sent a body, and whether it has it already: the id is that of
 * the intent's one end, the same in each attempt and each replay. `now` is the instant of this attempt.
 */
export async function signatureHeaders(
  secret: ResolvedWebhookOptions['secret'],
  owner: string,
  intentId: string,
  now: number,
  body: string,
): Promise<Record<string, string>> {
  const given = typeof secret === 'function' ? await secret(owner) : secret;
  const secrets = secretsOf(given);
  if (secrets === null) {
    const message =
      'webhooks.secret gave no secret for the owner of the intent: "whsec_" and 24 to 64 random bytes in base64.';
    throw new DeliveryError(message);
  }
  const id = `msg_${intentId}`;
  const at = new Date(now);
  const signatures = secrets.map((one) => new Webhook(one).sign(id, at, body));
  return {
    [HEADERS.webhookId]: id,
    [HEADERS.webhookTimestamp]: String(Math.floor(now / 1_000)),
    [HEADERS.webhookSignature]: signatures.join(' '),
  };
}
