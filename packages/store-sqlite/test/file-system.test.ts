import { mkdirSync, readFileSync, truncateSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { describe, expect, it, onTestFinished } from 'vitest';
import { sqliteStore } from '@durable-api/store-sqlite';
import { mountTypeOf, networkFileSystem } from '../src/file-system.ts';
import { dataPath } from './support/data-folder.ts';
import { submitRequest } from './support/intents.ts';
import { openStore } from './support/open-store.ts';

/** What opening a store on `path` fails with. */
async function refusal(path: string): Promise<unknown> {
  const store = sqliteStore(path);
  onTestFinished(() => store.close());
  return store.migrate().then(
    () => null,
    (error: unknown) => error,
  );
}

describe('a path that cannot hold a database is refused, saying what to do:', () => {
  it.each(['', ':memory:', 'file:operations.db'])('"%s"', async (path) => {
    const error = await refusal(path);
    expect(error).toMatchObject({ name: 'DurableError', code: 'options_invalid' });
    expect(String(error)).toContain('memoryStore()');
  });

  it('one in a folder that does not exist', async () => {
    const folder = join(dirname(dataPath()), 'missing');
    const error = await refusal(join(folder, 'operations.db'));
    expect(error).toMatchObject({ code: 'options_invalid' });
    expect(String(error)).toContain(`There is no folder ${folder}. Create it first.`);
  });

  it('one that is a folder', async () => {
    const path = dataPath();
    mkdirSync(path);
    expect(await refusal(path)).toMatchObject({ code: 'store_unavailable' });
  });

  it('a file that is no database, which is left as it is', async () => {
    const path = dataPath();
    const text = 'Dear diary, '.repeat(1_000);
    writeFileSync(path, text);
    const error = await refusal(path);
    expect(error).toMatchObject({ code: 'options_invalid' });
    expect(String(error)).toContain('no SQLite database');
    expect(readFileSync(path, 'utf8')).toBe(text);
  });

  it("another program's database, which is left as it is", async () => {
    const path = dataPath();
    const db = new DatabaseSync(path);
    db.exec('CREATE TABLE customers (name TEXT)');
    db.close();
    const error = await refusal(path);
    expect(error).toMatchObject({ code: 'options_invalid' });
    expect(String(error)).toContain('file of its own');
    const again = new DatabaseSync(path);
    expect(again.prepare('SELECT name FROM sqlite_schema').all()).toHaveLength(1);
    again.close();
  });

  it('a database that is damaged', async () => {
    const path = dataPath();
    const store = await openStore(path);
    await store.submit(Array.from({ length: 200 }, () => submitRequest()));
    await store.close();
    truncateSync(path, 8_192);
    const error = await refusal(path);
    expect(error).toMatchObject({ name: 'DurableError', code: 'store_unavailable' });
    expect(String(error)).toContain('backup');
  });

  it('until it can: the next call opens it', async () => {
    const path = join(dirname(dataPath()), 'later', 'operations.db');
    const store = sqliteStore(path);
    onTestFinished(() => store.close());
    await expect(store.migrate()).rejects.toThrow('There is no folder');
    mkdirSync(dirname(path));
    await store.migrate();
    expect(await store.submit([submitRequest()])).toEqual([{ outcome: 'created' }]);
  });
});

describe('a network file system', () => {
  it.each([
    [0x6969, 'NFS'],
    [0xff534d42, 'CIFS'],
    [0xfe534d42, 'SMB2'],
    // As a system gives it whose file system types are signed.
    [0xfe534d42 | 0, 'SMB2'],
    [0x01021997, '9P'],
  ])('is known by its magic number %i', (magic, name) => {
    expect(networkFileSystem(magic, () => null)).toBe(name);
  });

  it.each([
    ['ext4', 0xef53],
    ['xfs', 0x58465342],
    ['btrfs', 0x9123683e],
    ['tmpfs', 0x01021994],
    ['overlay', 0x794c7630],
    ['zfs', 0x2fc12fc1],
  ])('is not %s', (_, magic) => {
    expect(networkFileSystem(magic, () => 'fuse.sshfs')).toBe(null);
  });

  it('is known by its name when it is FUSE to the kernel', () => {
    const fuse = 0x65735546;
    expect(networkFileSystem(fuse, () => 'fuse.sshfs')).toBe('fuse.sshfs');
    expect(networkFileSystem(fuse, () => 'fuse.rclone')).toBe('fuse.rclone');
    expect(networkFileSystem(fuse, () => 'fuse.lxcfs')).toBe(null);
    expect(networkFileSystem(fuse, () => null)).toBe(null);
  });

  it('is told from the file system around it by the longest mount point', () => {
    const mounts = [
      '22 1 254:0 / / rw,relatime shared:1 - ext4 /dev/vda rw',
      '40 22 0:30 / /mnt/far rw,relatime shared:2 - fuse.sshfs host:/ rw',
      '42 22 0:32 / /mnt/a\\040b rw - fuse.s3fs s3fs rw',
      '41 40 0:31 / /mnt/far/near rw - tmpfs tmpfs rw',
    ].join('\n');
    expect(mountTypeOf('/mnt/far/data', mounts)).toBe('fuse.sshfs');
    expect(mountTypeOf('/mnt/far', mounts)).toBe('fuse.sshfs');
    expect(mountTypeOf('/mnt/farther', mounts)).toBe('ext4');
    expect(mountTypeOf('/mnt/far/near/data', mounts)).toBe('tmpfs');
    expect(mountTypeOf('/mnt/a b/data', mounts)).toBe('fuse.s3fs');
    expect(mountTypeOf('/srv', mounts)).toBe('ext4');
    expect(mountTypeOf('/srv', '')).toBe(null);
  });
});
