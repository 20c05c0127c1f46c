/** What intents remember. The trigger lets processes that do not know of it remove intents with their notes. */
export const sql = `
CREATE TABLE notes (
  intent INTEGER NOT NULL,
  key TEXT NOT NULL,
  value TEXT NOT NULL,
  PRIMARY KEY (intent, key)
) STRICT, WITHOUT ROWID;
CREATE TRIGGER notes_of_removed AFTER DELETE ON intents BEGIN
  DELETE FROM notes WHERE intent = old.n;
END;
`;
