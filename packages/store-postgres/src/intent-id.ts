const CANONICAL = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

/** The id of no intent. */
const NIL = '00000000-0000-0000-0000-000000000000';

/** Whether intents can have this id: a uuid in lower case. */
export function isIntentId(id: string): boolean {
  return CANONICAL.test(id) && id !== NIL;
}

/** The id itself, or one that no intent has: whoever asks for something else than an id finds nothing. */
export function toStoredId(id: string): string {
  return isIntentId(id) ? id : NIL;
}
