import { createHmac } from 'node:crypto';

/** The signature of a webhook as the protocol has it: `sha256=` and the HMAC of the body in hex. */
export function signatureOf(secret: string, body: string): string {
  return `sha256=${createHmac('sha256', secret).update(body).digest('hex')}`;
}
