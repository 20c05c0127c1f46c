/** The longest payload of a notification is 7,999 bytes; some is left for the sender. */
const MAX_PAYLOAD_BYTES = 7_900;
/** What stands for the ids when they are too many. */
const EVERYTHING = '*';

/** What whoever watches sends to say so; no wake-up is like it, since those have a blank. */
export const BEAT = 'beat';
/** What who begins to listen sends before its number; no sender of wake-ups is called so. */
export const HERE = 'here ';
/** The sender of what is news to everybody. */
export const NOBODY = '-';

/** What one process tells the others: these intents changed, or look at everything. */
export interface WakeUp {
  /** The store that wrote; its own wake-ups are not news to it. */
  readonly sender: string;
  readonly ids: readonly string[] | null;
}

/** A wake-up as the payload of a notification. */
export function encodeWakeUp({ sender, ids }: WakeUp): string {
  const payload = `${sender} ${ids === null ? EVERYTHING : ids.join(',')}`;
  return payload.length > MAX_PAYLOAD_BYTES ? `${sender} ${EVERYTHING}` : payload;
}

/** Takes back {@link encodeWakeUp}. */
export function decodeWakeUp(payload: string): WakeUp {
  const [sender = '', ids = EVERYTHING] = payload.split(' ', 2);
  return { sender, ids: ids === EVERYTHING ? null : ids.split(',') };
}

/** The channel of a schema; a name has at most 63 bytes, so a long schema is shortened at its end. */
export function channelOf(schema: string): string {
  return Buffer.from(`durable:${schema}`)
    .subarray(0, 60)
    .toString('utf8')
    .replace(/\uFFFD+$/, '');
}
