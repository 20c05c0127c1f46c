/**
 * The id with its last four digits replaced by a hash of operation and key, so that a store of several
 * parts, which finds the part by these digits, has what shares a limit in one of them. 58 random bits are
 * left.
 */
export function placeId(id: string, operation: string, key: string): string {
  let hash = 0x811c9dc5;
  const text = `${operation}\n${key}`;
  for (let i = 0; i < text.length; i += 1) {
    hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193);
  }
  const folded = (hash ^ (hash >>> 16)) & 0xffff;
  return id.slice(0, -4) + folded.toString(16).padStart(4, '0');
}
