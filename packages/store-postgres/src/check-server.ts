import { DurableError } from '@durable-api/core';
import type { Database } from './database.ts';
import { number } from './record.ts';
import { SERVER } from './sql/migrate.ts';

const OLDEST = 140_000;

/**
 * Refuses a server that would not keep what it has acknowledged, unless `mayLose` says that this is
 * accepted, and one that cannot be written to.
 * @throws DurableError `options_invalid`, or `store_unavailable` for a replica.
 */
export async function checkServer(database: Database, mayLose: boolean): Promise<void> {
  const { rows } = await database.run(SERVER);
  const [row] = rows;
  if (row === undefined) throw new Error('The server told nothing of itself.');
  const [, synchronousCommit, fsync, fullPageWrites, isReplica] = row;
  if (number(row, 0) < OLDEST) {
    throw refused(`Postgres 14 or newer is needed, this is ${number(row, 0) / 10_000}.`);
  }
  if (isReplica === 't') {
    const message = 'This server is a replica: connect to the primary.';
    throw new DurableError('store_unavailable', message, { retryAfterSeconds: 2 });
  }
  const unsafe = [
    synchronousCommit === 'off' && 'synchronous_commit',
    fsync === 'off' && 'fsync',
    fullPageWrites === 'off' && 'full_page_writes',
  ].filter((setting) => setting !== false);
  if (unsafe.length > 0 && !mayLose) {
    throw refused(
      `${unsafe.join(' and ')} ${unsafe.length > 1 ? 'are' : 'is'} off: the server may forget what it ` +
        'has acknowledged. Turn it on (ALTER ROLE … SET synchronous_commit = on), or accept the loss ' +
        "with { acceptDurability: 'process-crash' }.",
    );
  }
}

function refused(message: string): DurableError {
  return new DurableError('options_invalid', message);
}
