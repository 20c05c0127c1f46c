/** What Postgres' `text` cannot hold, and the sign that begins an escape. */
const UNSAFE = /[\0\\\uD800-\uDFFF]/;
const ESCAPES = /\\(?:\\|u([0-9a-f]{4}))/g;

/**
 * The string in a form that `text` can hold and that no other string has: NUL would be an error that
 * takes down a whole batch, and all lone surrogates would become the same character, so that one
 * owner could pass for another. Almost every string is its own form.
 */
export function toSafeText(value: string): string {
  if (!UNSAFE.test(value)) return value;
  let safe = '';
  for (const character of value) {
    if (character === '\\') safe += '\\\\';
    else if (character === '\0' || !character.isWellFormed()) safe += escape(character);
    else safe += character;
  }
  return safe;
}

/** Takes back {@link toSafeText}. */
export function fromSafeText(safe: string): string {
  if (!safe.includes('\\')) return safe;
  return safe.replaceAll(ESCAPES, (_, code: string | undefined) =>
    code === undefined ? '\\' : String.fromCharCode(Number.parseInt(code, 16)),
  );
}

function escape(character: string): string {
  return `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`;
}
