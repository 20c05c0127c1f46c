/** What stands between name and version; no name of an operation has it. */
export const VERSION_MARK = '@@';

/** An operation's name and the version of its code; without one an intent is of no version. */
export interface VersionedOperation {
  readonly operation: string;
  readonly version?: string | undefined;
}

/** The one text by which stores know an operation of a version, and claims name it: `name@@2`. */
export function storedOperation({ operation, version }: VersionedOperation): string {
  return version === undefined ? operation : `${operation}${VERSION_MARK}${version}`;
}

/** Takes apart what {@link storedOperation} made. */
export function splitOperation(stored: string): VersionedOperation {
  const at = stored.indexOf(VERSION_MARK);
  if (at === -1) return { operation: stored };
  return { operation: stored.slice(0, at), version: stored.slice(at + VERSION_MARK.length) };
}

/** How people are told of it. */
export function describeOperation({ operation, version }: VersionedOperation): string {
  return version === undefined ? `"${operation}"` : `"${operation}" of version ${version}`;
}
