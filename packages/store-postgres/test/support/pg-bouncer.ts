import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { chown, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { freePort, unprivileged } from './cluster.ts';

const PROGRAM = 'pgbouncer';

/** Whether PgBouncer is installed. Without it the tests are skipped, loudly; with `CI=true` they fail. */
export async function hasPgBouncer(): Promise<boolean> {
  const child = spawn(PROGRAM, ['--version'], { stdio: 'ignore' });
  const isThere = await once(child, 'exit').then(
    () => true,
    () => false,
  );
  if (isThere) return true;
  const why = 'these tests start a PgBouncer, and there is none (apt-get install pgbouncer)';
  if (process.env['CI'] === 'true') throw new Error(why);
  process.stderr.write(`SKIPPED: ${why}\n`);
  return false;
}

/** A PgBouncer in transaction mode, with two connections to the server. */
export class PgBouncer implements AsyncDisposable {
  /** The database's URL through it. */
  readonly url: string;
  readonly #child: ChildProcess;
  readonly #folder: string;

  private constructor(url: string, child: ChildProcess, folder: string) {
    this.url = url;
    this.#child = child;
    this.#folder = folder;
  }

  /** Starts one before the database at `url`; resolves when it takes connections. */
  static async start(url: string, port?: number): Promise<PgBouncer> {
    const target = new URL(url);
    const ownPort = port ?? (await freePort());
    const folder = await mkdtemp(join(tmpdir(), 'durable-pgbouncer-'));
    const file = join(folder, 'pgbouncer.ini');
    const database = target.pathname.slice(1);
    const lines = [
      '[databases]',
      `${database} = host=${target.hostname} port=${target.port || 5432} user=${target.username}`,
      '[pgbouncer]',
      'listen_addr = 127.0.0.1',
      `listen_port = ${ownPort}`,
      'unix_socket_dir =',
      'auth_type = any',
      'pool_mode = transaction',
      'default_pool_size = 2',
      'max_client_conn = 500',
      `logfile = ${join(folder, 'log')}`,
    ];
    await writeFile(file, `${lines.join('\n')}\n`);
    const { uid, gid } = await unprivileged();
    for (const path of [folder, file]) await chown(path, uid, gid);
    const child = spawn(PROGRAM, ['-q', file], { uid, gid, cwd: folder, stdio: 'ignore' });
    const through = new URL(url);
    through.hostname = '127.0.0.1';
    through.port = String(ownPort);
    const bouncer = new PgBouncer(through.href, child, folder);
    await bouncer.#listening(ownPort);
    return bouncer;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#child.exitCode === null) {
      const gone = once(this.#child, 'exit');
      this.#child.kill('SIGKILL');
      await gone;
    }
    await rm(this.#folder, { recursive: true, force: true });
  }

  async #listening(port: number): Promise<void> {
    for (;;) {
      if (this.#child.exitCode !== null) {
        throw new Error(`PgBouncer ended with ${this.#child.exitCode}: see ${this.#folder}/log.`);
      }
      const socket = connect(port, '127.0.0.1');
      const isOpen = await once(socket, 'connect').then(
        () => true,
        () => false,
      );
      socket.destroy();
      if (isOpen) return;
      await delay(10);
    }
  }
}
