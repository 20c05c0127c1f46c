/** Whose child an intent is. Older versions leave it empty: they start no children. */
export const sql = `
ALTER TABLE intents ADD COLUMN parent_intent_id TEXT;
`;
