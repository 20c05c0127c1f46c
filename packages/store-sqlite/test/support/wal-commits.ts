import { readFileSync } from 'node:fs';

const FILE_HEADER_BYTES = 32;
const FRAME_HEADER_BYTES = 24;

/**
 * How many transactions the write-ahead log of `path` holds, read from the file itself: the last frame of
 * each bears the size of the database (https://sqlite.org/fileformat2.html#walformat).
 */
export function walCommits(path: string): number {
  const wal = readFileSync(`${path}-wal`);
  const pageBytes = wal.readUInt32BE(8);
  const salt = wal.subarray(16, 24);
  let commits = 0;
  for (let at = FILE_HEADER_BYTES; at < wal.length; at += FRAME_HEADER_BYTES + pageBytes) {
    const header = wal.subarray(at, at + FRAME_HEADER_BYTES);
    // Frames of an earlier generation of the log have another salt.
    if (!header.subarray(8, 16).equals(salt)) break;
    if (header.readUInt32BE(4) > 0) commits += 1;
  }
  return commits;
}
