/** A JSON object of which nothing is known yet. */
export type JsonObject = Readonly<Record<string, unknown>>;

export function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Without the members that are undefined or null, for schemas whose types are not nullable. */
export function compact(value: JsonObject): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(value).filter(([, member]) => member !== undefined && member !== null),
  );
}

/** The instant in the form that the wire has. */
export function instant(at: number): string {
  return new Date(at).toISOString();
}
