/** Marks a string as a Lua script, for editors and readers. A script must not depend on values. */
export function lua(source: TemplateStringsArray): string {
  // Redis takes the shebang, and with it the flags, only from the very first byte.
  return (source.raw[0] ?? '').trimStart();
}
