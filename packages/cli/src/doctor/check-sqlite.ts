import { DatabaseSync } from 'node:sqlite';
import { finding, type Finding } from './finding.ts';

/** Looks into a SQLite file without changing it. */
export function checkSqlite(path: string): readonly Finding[] {
  const db = new DatabaseSync(path, { readOnly: true });
  try {
    const pragma = (name: string): unknown =>
      Object.values(db.prepare(`PRAGMA ${name}`).get() ?? {})[0];
    const check = pragma('quick_check');
    const mode = pragma('journal_mode');
    return [
      check === 'ok'
        ? finding('integrity', 'ok', 'quick_check finds nothing.')
        : finding('integrity', 'fail', `The file is damaged: ${String(check)}. Restore a backup.`),
      mode === 'wal'
        ? finding('journal', 'ok', 'The file is in WAL mode.')
        : finding('journal', 'warn', `Journal mode ${String(mode)}; a server will set WAL.`),
    ];
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    return [finding('integrity', 'fail', `${path} cannot be read: ${why}.`)];
  } finally {
    db.close();
  }
}
