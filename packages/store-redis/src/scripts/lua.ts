/** Marks a string as a Lua script, for editors and readers. A script must not depend on values. */
export function lua(source: TemplateStringsArray, ...fragments: readonly string[]): string {
  // Redis takes the shebang, and with it the flags, only from the very first byte.
  return String.raw(source, ...fragments).trimStart();
}
