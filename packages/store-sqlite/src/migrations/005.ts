/**
 * Intents with keys, and the lanes in which they wait: one for each operation, key and priority that has
 * intents that have not ended. `look_at` is when a claim must look at the lane, 0 for the next one. The
 * triggers see to that whatever writes; for intents without a key they cost a look at one column.
 */
export const sql = `
ALTER TABLE intents ADD COLUMN key TEXT;
ALTER TABLE intents ADD COLUMN priority INTEGER;
DROP INDEX intents_due;
CREATE INDEX intents_due ON intents (operation, due_at) WHERE due_at IS NOT NULL AND key IS NULL;
CREATE INDEX intents_in_lane ON intents (operation, key, priority, due_at)
  WHERE due_at IS NOT NULL AND key IS NOT NULL;
CREATE INDEX intents_in_place ON intents (operation, key, due_at)
  WHERE holder IS NOT NULL AND key IS NOT NULL;
CREATE INDEX intents_by_deadline ON intents (operation, key, priority, deadline_at)
  WHERE due_at IS NOT NULL AND holder IS NULL AND deadline_at IS NOT NULL AND key IS NOT NULL;

CREATE TABLE lanes (
  operation TEXT NOT NULL,
  key TEXT NOT NULL,
  priority INTEGER NOT NULL,
  turn INTEGER NOT NULL,
  look_at INTEGER NOT NULL,
  is_full INTEGER NOT NULL,
  PRIMARY KEY (operation, key, priority)
) STRICT, WITHOUT ROWID;
CREATE INDEX lanes_in_line ON lanes (operation, look_at, priority DESC, turn);
CREATE INDEX lanes_by_turn ON lanes (turn);
CREATE INDEX lanes_full ON lanes (operation) WHERE is_full AND look_at > 0;

CREATE TABLE starts (
  operation TEXT NOT NULL,
  key TEXT NOT NULL,
  at INTEGER NOT NULL,
  until INTEGER NOT NULL,
  count INTEGER NOT NULL,
  PRIMARY KEY (operation, key, at)
) STRICT, WITHOUT ROWID;

CREATE TRIGGER lane_of_new AFTER INSERT ON intents WHEN new.key IS NOT NULL BEGIN
  INSERT INTO lanes (operation, key, priority, turn, look_at, is_full)
    SELECT new.operation, new.key, new.priority, (SELECT coalesce(max(turn), 0) + 1 FROM lanes), 0, 0
    WHERE NOT EXISTS (
      SELECT 1 FROM lanes
      WHERE operation = new.operation AND key = new.key AND priority = new.priority
    );
  UPDATE lanes SET look_at = 0
    WHERE operation = new.operation AND key = new.key AND priority = new.priority AND look_at > 0;
END;
CREATE TRIGGER lanes_of_freed AFTER UPDATE OF holder, due_at ON intents
  WHEN new.key IS NOT NULL AND (new.holder IS NULL OR new.due_at < old.due_at)
BEGIN
  UPDATE lanes SET look_at = 0
    WHERE operation = new.operation AND key = new.key AND look_at > 0;
END;
`;
