import type { CommitRequest, Note, StoredResponse, SubmitRequest } from '@durable-api/core';
import type { PackedCommits, PackedSubmits } from './channel.ts';
import { joinEvents } from './event-lines.ts';
import { CHANGING, columnIndex, COLUMNS, toRow, type Cell, type RecordRow } from './record-row.ts';

// Batches cross between the threads as one flat list of cells: to clone a list for each write takes
// several times as long.

const SUBMIT_CELLS = COLUMNS.length + 2;
const COMMIT_CELLS = CHANGING.length + 8;
const CHANGING_INDEXES = CHANGING.map(columnIndex);
const HOLDER = columnIndex('holder');
const DUE_AT = columnIndex('due_at');
const UPDATED_AT = columnIndex('updated_at');

/** One submit, unpacked. */
export interface SubmitItem {
  readonly row: RecordRow;
  readonly events: Cell;
  readonly input: Cell;
}

/** One commit, unpacked. */
export interface CommitItem {
  readonly id: string;
  readonly expectedSeq: Cell;
  readonly expectedLease: Cell;
  /** The columns that change with `seq`, and what they change to. */
  readonly changes: readonly Cell[];
  readonly isHeld: boolean;
  readonly dueAt: Cell;
  readonly events: Cell;
  readonly head: Cell;
  readonly body: Uint8Array | null;
  notes: Note[] | null;
  /** What takes the place of the input. */
  input: string | null;
  freesLiveKey: boolean;
}

/** Packs submits. */
export function packSubmits(batch: readonly SubmitRequest[]): PackedSubmits {
  const cells: Cell[] = [];
  for (const { record, events, input } of batch) {
    cells.push(...toRow(record), joinEvents(events), input);
  }
  return cells;
}

/** Reads back what {@link packSubmits} wrote. */
export function unpackSubmits(cells: PackedSubmits): SubmitItem[] {
  const items: SubmitItem[] = [];
  for (let at = 0; at < cells.length; at += SUBMIT_CELLS) {
    const end = at + COLUMNS.length;
    const row = cells.slice(at, end);
    items.push({ row, events: cells[end] ?? null, input: cells[end + 1] ?? null });
  }
  return items;
}

/** The leases that submits take, without unpacking all of them. */
export function leasesOf(cells: PackedSubmits): { holder: string; leaseMs: number }[] {
  const leases: { holder: string; leaseMs: number }[] = [];
  for (let at = 0; at < cells.length; at += SUBMIT_CELLS) {
    const holder = cells[at + HOLDER];
    if (typeof holder !== 'string') continue;
    leases.push({ holder, leaseMs: Number(cells[at + DUE_AT]) - Number(cells[at + UPDATED_AT]) });
  }
  return leases;
}

/** Packs commits. */
export function packCommits(batch: readonly CommitRequest[]): PackedCommits {
  const cells: Cell[] = [];
  const bodies: Uint8Array[] = [];
  let noted: Cell[] | null = null;
  let replaced: Cell[] | null = null;
  for (const [i, request] of batch.entries()) {
    const { expected, record, events, result, notes, input, freesLiveKey } = request;
    const row = toRow(record);
    cells.push(record.id, expected.seq, expected.lease);
    for (const index of CHANGING_INDEXES) cells.push(row[index] ?? null);
    cells.push(record.holder === null ? 0 : 1, record.dueAt, joinEvents(events));
    if (result === undefined) cells.push(null, null);
    else {
      cells.push(headOf(result), result.body.byteLength);
      bodies.push(result.body);
    }
    for (const { key, value } of notes ?? []) (noted ??= []).push(i, key, value);
    if (input !== undefined || freesLiveKey !== undefined)
      (replaced ??= []).push(i, input ?? null, freesLiveKey === undefined ? 0 : 1);
  }
  return { cells, bodies: concat(bodies), notes: noted, replaced };
}

/** Reads back what {@link packCommits} wrote. */
export function unpackCommits({ cells, bodies, notes, replaced }: PackedCommits): CommitItem[] {
  const items: CommitItem[] = [];
  let bodyAt = 0;
  for (let at = 0; at < cells.length; at += COMMIT_CELLS) {
    const [id, expectedSeq = null, expectedLease = null] = cells.slice(at, at + 3);
    const end = at + 3 + CHANGING.length;
    const changes = cells.slice(at + 3, end);
    const [isHeld, dueAt = null, events = null, head = null, size = null] = cells.slice(
      end,
      end + 5,
    );
    const body = size === null ? null : bodies.subarray(bodyAt, bodyAt + Number(size));
    bodyAt += Number(size);
    items.push({
      id: String(id),
      expectedSeq,
      expectedLease,
      changes,
      isHeld: isHeld === 1,
      dueAt,
      events,
      head,
      body,
      notes: null,
      input: null,
      freesLiveKey: false,
    });
  }
  if (notes !== null) unpackNotes(notes, items);
  if (replaced !== null) unpackReplaced(replaced, items);
  return items;
}

function unpackNotes(notes: readonly Cell[], items: readonly CommitItem[]): void {
  for (let at = 0; at < notes.length; at += 3) {
    const item = items[Number(notes[at])];
    if (item === undefined) continue;
    (item.notes ??= []).push({ key: String(notes[at + 1]), value: String(notes[at + 2]) });
  }
}

function unpackReplaced(replaced: readonly Cell[], items: readonly CommitItem[]): void {
  for (let at = 0; at < replaced.length; at += 3) {
    const item = items[Number(replaced[at])];
    if (item === undefined) continue;
    const input = replaced[at + 1];
    item.input = typeof input === 'string' ? input : null;
    item.freesLiveKey = replaced[at + 2] === 1;
  }
}

function headOf({ status, headers }: StoredResponse): string {
  return JSON.stringify({ status, headers });
}

/** Not `Buffer.concat`, whose bytes are a part of a larger buffer: all of that would cross. */
function concat(parts: readonly Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(parts.reduce((size, part) => size + part.byteLength, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.byteLength;
  }
  return whole;
}
