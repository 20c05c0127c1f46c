import { isUtf8 } from 'node:buffer';

/** A piece of output as events and notes have it: well-formed text as it is, anything else as base64. */
export type OutputChunk = { readonly text: string } | { readonly base64: string };

/** The most that one event has of the output, in bytes before any escaping. */
const MAX_PIECE_BYTES = 16_384;

/**
 * Packs output for events: as few pieces as fit, none of which cuts a character of UTF-8 in two, as long as
 * the output is UTF-8.
 */
export function packOutput(bytes: Buffer): OutputChunk[] {
  const pieces: OutputChunk[] = [];
  for (let from = 0; from < bytes.length;) {
    const to = pieceEnd(bytes, from);
    const piece = bytes.subarray(from, to);
    // A NUL is a character that some stores do not take in a text.
    const isText = isUtf8(piece) && !piece.includes(0);
    pieces.push(isText ? { text: piece.toString('utf8') } : { base64: piece.toString('base64') });
    from = to;
  }
  return pieces;
}

/** How much of the end of `bytes` is the beginning of a character of UTF-8 that has yet to come. */
export function unfinishedBytes(bytes: Uint8Array): number {
  for (let back = 1; back <= Math.min(3, bytes.length); back += 1) {
    const byte = bytes[bytes.length - back] ?? 0;
    if (byte < 0x80) return 0;
    if (byte < 0xc0) continue;
    const needed = byte >= 0xf0 ? 4 : byte >= 0xe0 ? 3 : 2;
    return needed > back ? back : 0;
  }
  return 0;
}

/** Reads back a piece. */
export function unpackOutput(chunk: object): Buffer | null {
  if ('text' in chunk && typeof chunk.text === 'string') return Buffer.from(chunk.text);
  if ('base64' in chunk && typeof chunk.base64 === 'string') {
    return Buffer.from(chunk.base64, 'base64');
  }
  return null;
}

function pieceEnd(bytes: Buffer, from: number): number {
  const to = Math.min(bytes.length, from + MAX_PIECE_BYTES);
  if (to === bytes.length) return to;
  return to - unfinishedBytes(bytes.subarray(from, to));
}
