import { once } from 'node:events';
import { connect } from 'node:net';
import { Cluster, findClusterTools } from '../packages/store-postgres/test/support/cluster.ts';

const STANDARD_PORT = 5432;

async function answers(port: number): Promise<boolean> {
  const socket = connect(port, '127.0.0.1');
  try {
    await once(socket, 'connect');
    return true;
  } catch {
    return false;
  } finally {
    socket.destroy();
  }
}

/**
 * Has a Postgres for the tests: what `DATABASE_URL` names, else what is at the standard port, else one that
 * is started for them, where its programs are. Tests that need Redis start their own.
 */
export async function setup(): Promise<(() => Promise<void>) | undefined> {
  if (process.env['DATABASE_URL'] !== undefined || (await answers(STANDARD_PORT))) return undefined;
  const tools = await findClusterTools();
  if (tools === null) return undefined;
  const cluster = await Cluster.start(tools);
  process.env['DATABASE_URL'] = cluster.url;
  return () => cluster.remove();
}
