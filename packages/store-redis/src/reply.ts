/** The reply of a script as a list. @throws Error when it is none. */
export function asList(reply: unknown): readonly unknown[] {
  if (!Array.isArray(reply)) throw new Error(`Redis gave ${typeof reply} for a list.`);
  return reply;
}

/** A part of a reply as text. @throws Error when it is none. */
export function asText(reply: unknown): string {
  if (typeof reply !== 'string') throw new Error(`Redis gave ${typeof reply} for a text.`);
  return reply;
}

/** A part of a reply as a number; scripts give large ones as text. @throws Error when it is none. */
export function asNumber(reply: unknown): number {
  const number = Number(reply);
  if (Number.isNaN(number)) throw new Error(`Redis gave ${String(reply)} for a number.`);
  return number;
}
