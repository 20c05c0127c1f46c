import { readFileSync, realpathSync, statfsSync, statSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { StoreFailure } from './store-failure.ts';

/** File systems over a network, by the magic number that statfs(2) gives. */
const NETWORK_MAGIC: Readonly<Record<number, string>> = {
  0x6969: 'NFS',
  0x517b: 'SMB',
  0xff534d42: 'CIFS',
  0xfe534d42: 'SMB2',
  0x01021997: '9P',
  0x5346414f: 'AFS',
  0x00c36400: 'Ceph',
  0x73757245: 'Coda',
  0x564c: 'NCP',
  0x0bd00bd0: 'Lustre',
  0x47504653: 'GPFS',
  0x01161970: 'GFS2',
  0x7461636f: 'OCFS2',
};

/** Network file systems that are FUSE to the kernel, by their name in /proc/self/mountinfo. */
const NETWORK_FUSE = /^fuse\.(?:sshfs|s3fs|rclone|glusterfs|gcsfuse|davfs|curlftpfs|ceph|goofys)/;

const FUSE_MAGIC = 0x65735546;

/**
 * Makes sure that `path` can hold a database whose locks and fsyncs mean something.
 * @throws StoreFailure `options_invalid` saying what to do.
 */
export function checkFileSystem(path: string): void {
  if (path === '' || path === ':memory:' || path.startsWith('file:')) {
    const advice = 'Use memoryStore() of @durable-api/core for a store without a file.';
    throw new StoreFailure(
      'options_invalid',
      `sqliteStore takes a file path, got "${path}". ${advice}`,
    );
  }
  const folder = dirname(resolve(path));
  const stats = statSync(folder, { throwIfNoEntry: false });
  if (stats === undefined || !stats.isDirectory()) {
    throw new StoreFailure('options_invalid', `There is no folder ${folder}. Create it first.`);
  }
  const network = networkFileSystem(statfsSync(folder).type, () =>
    mountTypeOf(realpathSync(folder), readMounts()),
  );
  if (network === null) return;
  throw new StoreFailure(
    'options_invalid',
    `${folder} is on a network file system (${network}), where SQLite loses data. Use a local disk, ` +
      'or a store made for several hosts.',
  );
}

/** What tells a file from another one that takes its place; '' when there is none. */
export function identityOf(path: string): string {
  const stats = statSync(path, { throwIfNoEntry: false });
  return stats === undefined ? '' : `${stats.dev} ${stats.ino}`;
}

/**
 * The name of the network file system that a folder is on; null when it is a local one.
 * @param magic The type that statfs(2) gives for the folder.
 * @param mountType Reads the type of the folder's mount, by name; asked only where the magic is not enough.
 */
export function networkFileSystem(magic: number, mountType: () => string | null): string | null {
  const name = NETWORK_MAGIC[magic >>> 0];
  if (name !== undefined) return name;
  if (magic >>> 0 !== FUSE_MAGIC) return null;
  const type = mountType();
  return type !== null && NETWORK_FUSE.test(type) ? type : null;
}

function readMounts(): string {
  try {
    return readFileSync('/proc/self/mountinfo', 'utf8');
  } catch {
    // Not Linux: there are no FUSE mounts that are known by name.
    return '';
  }
}

/** The type of the mount that a folder is on, from the text of /proc/self/mountinfo; null when unknown. */
export function mountTypeOf(folder: string, mounts: string): string | null {
  let best = { point: '', type: null as string | null };
  for (const line of mounts.split('\n')) {
    const [before = '', after = ''] = line.split(' - ');
    const point = unescapeMount(before.split(' ')[4] ?? '');
    if (point === '') continue;
    const isInside = folder === point || folder.startsWith(point === '/' ? '/' : `${point}/`);
    if (isInside && point.length >= best.point.length) {
      best = { point, type: after.split(' ')[0] ?? null };
    }
  }
  return best.type;
}

/** Blanks and the like are three octal digits in mountinfo. */
function unescapeMount(point: string): string {
  return point.replace(/\\([0-7]{3})/g, (_, octal: string) =>
    String.fromCharCode(Number.parseInt(octal, 8)),
  );
}
