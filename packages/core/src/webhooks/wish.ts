/** Whom an intent's end is told, as it is stored with the intent's input. */
export interface WebhookWish {
  readonly url: string;
  /** The path of the operation as the client knows it; null when no request has brought the intent. */
  readonly path: string | null;
}

/** What an input begins with that has a wish. Nothing else can: a body comes after a name of ours. */
const BEGINNING = '{"webhook":';

/** The input with a wish, at its beginning, so that one look tells whether an input has one. */
export function withWebhook(input: string, wish: WebhookWish | null): string {
  return wish === null ? input : `${BEGINNING}${JSON.stringify(wish)},${input.slice(1)}`;
}

/** The wish of a stored input; null for none. */
export function webhookOf(input: string | undefined): WebhookWish | null {
  if (input === undefined || !input.startsWith(BEGINNING)) return null;
  const { webhook }: { webhook: WebhookWish } = JSON.parse(input);
  return webhook;
}
