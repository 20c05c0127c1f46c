import { execFile } from 'node:child_process';
import { chown, mkdtemp, readdir, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

const exec = promisify(execFile);
const INSTALLED = '/usr/lib/postgresql';

/** Who runs the server: Postgres refuses root. */
export interface Account {
  readonly name: string;
  readonly uid: number;
  readonly gid: number;
}

/** What clusters need of this machine. */
export interface ClusterTools {
  readonly bin: string;
  readonly account: Account;
}

/**
 * Finds the programs of Postgres and somebody to run them as. Without them the tests are skipped,
 * loudly; with `CI=true` they fail.
 */
export async function findClusterTools(): Promise<ClusterTools | null> {
  try {
    const bin = process.env['PG_BIN'] ?? (await newestBin());
    await exec(join(bin, 'initdb'), ['--version']);
    return { bin, account: await unprivileged() };
  } catch (error) {
    const why = 'these tests start a Postgres of their own, and there is no initdb (set PG_BIN)';
    if (process.env['CI'] === 'true') throw new Error(why, { cause: error });
    process.stderr.write(`SKIPPED: ${why}: ${String(error)}\n`);
    return null;
  }
}

/** A Postgres of a test's own, in a temporary folder. */
export class Cluster {
  readonly url: string;
  readonly port: number;
  /** The folder with its data and its socket. */
  readonly folder: string;
  readonly #tools: ClusterTools;
  readonly #settings: Readonly<Record<string, string>>;

  private constructor(
    tools: ClusterTools,
    folder: string,
    port: number,
    settings: Readonly<Record<string, string>>,
  ) {
    this.#tools = tools;
    this.folder = folder;
    this.port = port;
    this.#settings = settings;
    this.url = `postgres://${tools.account.name}@127.0.0.1:${port}/postgres`;
  }

  /** Makes a new cluster and starts it. */
  static async start(
    tools: ClusterTools,
    settings: Readonly<Record<string, string>> = {},
  ): Promise<Cluster> {
    const cluster = new Cluster(tools, await newFolder(tools), await freePort(), settings);
    await cluster.#run('initdb', ['-D', cluster.#data, '-A', 'trust', '--no-sync', '-E', 'UTF8']);
    await cluster.start();
    return cluster;
  }

  /** Makes a streaming replica of this cluster and starts it. */
  async replica(): Promise<Cluster> {
    const folder = await newFolder(this.#tools);
    const replica = new Cluster(this.#tools, folder, await freePort(), {});
    const from = ['-h', '127.0.0.1', '-p', String(this.port), '-U', this.#tools.account.name];
    const how = ['-R', '-c', 'fast', '--no-sync'];
    await this.#run('pg_basebackup', ['-D', replica.#data, ...from, ...how]);
    await replica.start();
    return replica;
  }

  async start(): Promise<void> {
    const settings: Record<string, string> = {
      port: String(this.port),
      listen_addresses: '127.0.0.1',
      unix_socket_directories: this.folder,
      ...this.#settings,
    };
    const options = Object.entries(settings).map(([name, value]) => `-c ${name}='${value}'`);
    const log = join(this.folder, 'log');
    await this.#run('pg_ctl', [
      'start',
      '-w',
      '-D',
      this.#data,
      '-l',
      log,
      '-o',
      options.join(' '),
    ]);
  }

  /** Stops it as a crash would. */
  async kill(): Promise<void> {
    await this.#run('pg_ctl', ['stop', '-w', '-D', this.#data, '-m', 'immediate']);
  }

  /** Makes a primary of a replica. */
  async promote(): Promise<void> {
    await this.#run('pg_ctl', ['promote', '-w', '-D', this.#data]);
  }

  /** Stops it and removes its files. */
  async remove(): Promise<void> {
    await this.kill().catch(() => {});
    await rm(this.folder, { recursive: true, force: true });
  }

  get #data(): string {
    return join(this.folder, 'data');
  }

  async #run(program: string, args: readonly string[]): Promise<void> {
    const { bin, account } = this.#tools;
    const options = { uid: account.uid, gid: account.gid, cwd: this.folder };
    await exec(join(bin, program), args, options);
  }
}

async function newestBin(): Promise<string> {
  const versions = await readdir(INSTALLED);
  const newest = versions.sort((a, b) => Number(b) - Number(a))[0];
  if (newest === undefined) throw new Error(`There is nothing in ${INSTALLED}.`);
  return join(INSTALLED, newest, 'bin');
}

/** Who may run a server: neither Postgres nor PgBouncer takes root. */
export async function unprivileged(): Promise<Account> {
  const { uid, gid, username } = userInfo();
  if (uid !== 0) return { name: username, uid, gid };
  const numbers = await Promise.all(['-u', '-g'].map((flag) => exec('id', [flag, 'postgres'])));
  const [user, group] = numbers.map(({ stdout }) => Number(stdout));
  if (user === undefined || group === undefined) throw new Error('There is no user postgres.');
  return { name: 'postgres', uid: user, gid: group };
}

async function newFolder({ account }: ClusterTools): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'durable-postgres-'));
  await chown(folder, account.uid, account.gid);
  return folder;
}

/** A port of this machine that nobody listens on. */
export async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  if (address === null || typeof address === 'string') throw new Error('There is no free port.');
  return address.port;
}
