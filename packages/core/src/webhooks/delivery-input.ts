import { decodeInput } from '../http/input.ts';

/** The operation whose intents are the deliveries of webhooks. */
export const WEBHOOK_OPERATION = 'durable.webhook';

/** The signal by which a delivery is told that its intent has ended. */
export const ENDED_SIGNAL = 'ended';

/** What a delivery delivers, and where to. */
export interface DeliveryInput {
  /** The intent whose end is told. */
  readonly intentId: string;
  readonly url: string;
  readonly path: string | null;
}

/** The stored input of a delivery. */
export function encodeDelivery({ intentId, url, path }: DeliveryInput): string {
  return JSON.stringify({ body: { intent_id: intentId, url, path }, rest: {} });
}

/** Reads back what {@link encodeDelivery} wrote. */
export function decodeDelivery(input: unknown): DeliveryInput {
  const body: unknown = decodeInput(input).body;
  const { intent_id: intentId, url, path }: Record<string, unknown> = Object(body);
  if (typeof intentId !== 'string' || typeof url !== 'string')
    throw new TypeError('The stored input is not one of a delivery.');
  return { intentId, url, path: typeof path === 'string' ? path : null };
}
