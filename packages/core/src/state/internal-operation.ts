/** What the library keeps for itself, as intents of operations that nobody has declared. */
const INTERNAL = /^durable\.(?:ticket$|schedules?(?:$|:))/;

/** Whether intents of this operation are the library's own, and not to be shown among an app's. */
export function isInternalOperation(operation: string): boolean {
  return INTERNAL.test(operation);
}
