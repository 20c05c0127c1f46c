/**
 * One-dimensional arrays in Postgres' binary format, as `array_recv` reads them. A batch goes out as
 * one array per column; as text each of its strings would be escaped here and unescaped there.
 */
const HEADER_BYTES = 20;
const OID = { boolean: 16, bytea: 17, bigint: 20, int: 23, text: 25, uuid: 2950 } as const;

/** Writes one element at `offset` and returns how many bytes it took. */
type Write<T> = (target: Buffer, value: T, offset: number) => number;

function array<T>(
  oid: number,
  values: readonly (T | null)[],
  sizeOf: (value: T) => number,
  write: Write<T>,
): Buffer {
  // By index: this loop runs for every field of all that is written.
  const { length } = values;
  let size = HEADER_BYTES + 4 * length;
  for (let i = 0; i < length; i += 1) {
    const value = values[i];
    if (value !== null && value !== undefined) size += sizeOf(value);
  }
  const target = Buffer.allocUnsafe(size);
  target.writeInt32BE(length === 0 ? 0 : 1, 0);
  target.writeInt32BE(1, 4);
  target.writeInt32BE(oid, 8);
  target.writeInt32BE(length, 12);
  target.writeInt32BE(1, 16);
  let offset = HEADER_BYTES;
  for (let i = 0; i < length; i += 1) {
    const value = values[i];
    const isNull = value === null || value === undefined;
    const bytes = isNull ? -1 : write(target, value, offset + 4);
    target.writeInt32BE(bytes, offset);
    offset += isNull ? 4 : 4 + bytes;
  }
  return length === 0 ? target.subarray(0, 12) : target;
}

/** A `text[]`; the strings must have no NUL and no lone surrogate. */
export function textArray(values: readonly (string | null)[]): Buffer {
  const write: Write<string> = (target, value, offset) => target.write(value, offset, 'utf8');
  return array(OID.text, values, (value) => Buffer.byteLength(value), write);
}

/** A `uuid[]` of ids in their canonical form. */
export function uuidArray(ids: readonly string[]): Buffer {
  return array(OID.uuid, ids, () => 16, writeUuid);
}

/** An `int[]`. */
export function intArray(values: readonly (number | null)[]): Buffer {
  return array(OID.int, values, () => 4, writeInt);
}

/** A `bigint[]`; fractions are cut off. */
export function bigintArray(values: readonly (number | null)[]): Buffer {
  return array(OID.bigint, values, () => 8, writeBigint);
}

/** A `boolean[]`. */
export function booleanArray(values: readonly boolean[]): Buffer {
  return array(OID.boolean, values, () => 1, writeBoolean);
}

/** A `bytea[]`. */
export function byteaArray(values: readonly (Uint8Array | null)[]): Buffer {
  return array(OID.bytea, values, (value) => value.byteLength, writeBytes);
}

const writeUuid: Write<string> = (target, id, offset) =>
  target.write(id.replaceAll('-', ''), offset, 'hex');

const writeInt: Write<number> = (target, value, offset) =>
  target.writeInt32BE(value, offset) - offset;

const writeBigint: Write<number> = (target, value, offset) => {
  target.writeInt32BE(Math.floor(value / 2 ** 32), offset);
  return target.writeUInt32BE(value >>> 0, offset + 4) - offset;
};

const writeBoolean: Write<boolean> = (target, value, offset) =>
  target.writeUInt8(value ? 1 : 0, offset) - offset;

const writeBytes: Write<Uint8Array> = (target, value, offset) => {
  target.set(value, offset);
  return value.byteLength;
};
