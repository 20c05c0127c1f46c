/** What no other intent may have while this one has not ended. Older versions give it up at the end only. */
export const sql = `
ALTER TABLE intents ADD COLUMN live_key TEXT;
CREATE UNIQUE INDEX intents_live ON intents (live_key)
  WHERE live_key IS NOT NULL AND due_at IS NOT NULL;
`;
