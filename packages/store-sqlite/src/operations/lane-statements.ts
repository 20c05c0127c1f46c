import type { DatabaseSync } from 'node:sqlite';

/** Values of a statement by their names. */
type Named = Readonly<Record<string, string | number>>;
/** Reads the one number that a statement gives, or null. */
type Read = (named: Named) => number | null;
type Write = (named: Named) => void;

/** What is asked and done about lanes, each with `operation`, `key`, `priority` and `now` as far as it says. */
export interface LaneStatements {
  /** Has the next claim look at the lanes of `operation` whose time has come. */
  readonly ripen: Write;
  /** Has the next claim look at all lanes of `operation`. */
  readonly ripenAll: Write;
  /** Whether a limit on what is held holds something back of `operation`. */
  readonly isHeldBack: Read;
  /** When the first lane of `operation` must be looked at; 0 for the next claim. */
  readonly nextLook: Read;
  /** The earliest `due_at` of a lane. */
  readonly firstDue: Read;
  /** The number of the intent that is due the longest in a lane. */
  readonly head: Read;
  /** The number of one in a lane that is past its deadline and has no holder. */
  readonly late: Read;
  /** The first deadline still ahead of those in a lane that have no holder. */
  readonly nextDeadline: Read;
  /** Takes the leases of a key that have ended from their holders. */
  readonly expel: Write;
  /** How many leases of a key are held. */
  readonly countHeld: Read;
  /** When the first of them ends. */
  readonly nextFreed: Read;
  /** How many leases of a key were taken after `since`, and when the first. */
  readonly countStarts: Read;
  readonly firstStart: Read;
  /** Notes that a lease of a key was taken, for as long as `until`. */
  readonly noteStart: Write;
  readonly forgetStarts: Write;
  /** Sends a lane to the end of the line. */
  readonly serve: Write;
  /** Has a lane looked at again at `lookAt`; `isFull` is 1 when all places of its key are taken. */
  readonly park: Write;
  readonly remove: Write;
}

const OF_PLACE = 'operation = :operation AND key = :key';
const OF_LANE = `${OF_PLACE} AND priority = :priority`;
const HELD = `FROM intents WHERE ${OF_PLACE} AND holder IS NOT NULL`;
const WAITING = `FROM intents WHERE ${OF_LANE} AND due_at IS NOT NULL AND holder IS NULL`;
const STARTS = `FROM starts WHERE ${OF_PLACE}`;

/** Prepares them. */
export function prepareLanes(db: DatabaseSync): LaneStatements {
  const read = (sql: string): Read => {
    const statement = db.prepare(sql);
    statement.setReturnArrays(true);
    statement.setAllowUnknownNamedParameters(true);
    return (named) => {
      const row: unknown = statement.get(named);
      const cell: unknown = Array.isArray(row) ? row[0] : null;
      return typeof cell === 'number' ? cell : null;
    };
  };
  const write = (sql: string): Write => {
    const statement = db.prepare(sql);
    statement.setAllowUnknownNamedParameters(true);
    return (named) => void statement.run(named);
  };
  return {
    ripen: write(
      `UPDATE lanes SET look_at = 0
       WHERE operation = :operation AND look_at > 0 AND look_at <= :now`,
    ),
    ripenAll: write('UPDATE lanes SET look_at = 0 WHERE operation = :operation AND look_at > 0'),
    isHeldBack: read(
      'SELECT 1 FROM lanes WHERE operation = :operation AND is_full AND look_at > 0 LIMIT 1',
    ),
    nextLook: read('SELECT min(look_at) FROM lanes WHERE operation = :operation'),
    firstDue: read(`SELECT min(due_at) FROM intents WHERE ${OF_LANE} AND due_at IS NOT NULL`),
    head: read(
      `SELECT n FROM intents WHERE ${OF_LANE} AND due_at <= :now ORDER BY due_at, n LIMIT 1`,
    ),
    late: read(
      `SELECT n ${WAITING} AND deadline_at <= :now AND due_at <= :now ORDER BY deadline_at LIMIT 1`,
    ),
    nextDeadline: read(`SELECT min(deadline_at) ${WAITING} AND deadline_at > :now`),
    expel: write(
      `UPDATE intents SET holder = NULL, lost_leases = lost_leases + 1
       WHERE n IN (SELECT n ${HELD} AND due_at <= :now)`,
    ),
    countHeld: read(`SELECT count(*) ${HELD}`),
    nextFreed: read(`SELECT min(due_at) ${HELD}`),
    countStarts: read(`SELECT sum(count) ${STARTS} AND at > :since`),
    firstStart: read(`SELECT min(at) ${STARTS} AND at > :since`),
    noteStart: write(
      `INSERT INTO starts (operation, key, at, until, count) VALUES (:operation, :key, :now, :until, 1)
       ON CONFLICT DO UPDATE SET count = count + 1, until = max(until, excluded.until)`,
    ),
    forgetStarts: write(`DELETE ${STARTS} AND until <= :now`),
    serve: write(`UPDATE lanes SET turn = (SELECT max(turn) + 1 FROM lanes) WHERE ${OF_LANE}`),
    park: write(`UPDATE lanes SET look_at = :lookAt, is_full = :isFull WHERE ${OF_LANE}`),
    remove: write(`DELETE FROM lanes WHERE ${OF_LANE}`),
  };
}
