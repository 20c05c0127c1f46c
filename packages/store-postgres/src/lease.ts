import type {
  ClaimRequest,
  ClaimResult,
  Claimed,
  RenewRequest,
  RenewResult,
} from '@durable-api/core';
import { booleanArray, intArray, textArray, uuidArray } from './binary-array.ts';
import { placed, toStatements } from './batches.ts';
import type { Database } from './database.ts';
import { toStoredId } from './intent-id.ts';
import { decodeRecord, nullable, number, RECORD_WIDTH, text } from './record.ts';
import { CLAIM, MAX_CLAIM, RENEW } from './sql/claim.ts';

/** How soon to look again at what is due but was just being written by somebody else, in ms. */
const BUSY_MS = 50;

/** Takes leases of intents without a key: see `Store.claim`. */
export async function claim(database: Database, request: ClaimRequest): Promise<ClaimResult> {
  const { operations, holder, leaseMs } = request;
  const limit = Math.min(request.limit, MAX_CLAIM);
  const names = textArray(operations);
  const { rows } = await database.runPrepared(CLAIM, [names, limit, holder, leaseMs]);
  const first = rows.find((row) => row[0] !== null);
  if (first === undefined) throw new Error('A claim told nothing.');
  const now = number(first, 0);
  const nextDueAt = nullable(first, 1);
  const order = new Map(
    text(first, 2)
      .split(',')
      .map((id, rank) => [id, rank]),
  );
  const rankOf = ({ record }: Claimed): number => order.get(record.id) ?? 0;
  const claimed = rows
    .filter((row) => row !== first)
    .map((row): Claimed => ({
      record: decodeRecord(row, 3),
      input: text(row, 3 + RECORD_WIDTH),
    }))
    .sort((a, b) => rankOf(a) - rankOf(b));
  // Asking again at once would spin for as long as the other holds on to its rows.
  const isBusy = claimed.length < limit && nextDueAt !== null && nextDueAt <= now;
  return { claimed, nextDueAt: isBusy ? now + BUSY_MS : nextDueAt, now };
}

type Renewal = RenewResult[number];

/** Renews and releases leases: see `Store.renew`. */
export async function renew(
  database: Database,
  { leases, leaseMs }: RenewRequest,
): Promise<{ results: Renewal[]; released: string[] }> {
  const results = leases.map((): Renewal => ({ held: false }));
  const released: string[] = [];
  for (const part of toStatements(placed(leases), idOf, () => 64)) {
    const { rows } = await database.runPrepared(RENEW, [
      uuidArray(part.map(({ item }) => toStoredId(item.id))),
      intArray(part.map(({ item }) => item.lease)),
      booleanArray(part.map(({ item }) => item.release === true)),
      leaseMs,
    ]);
    const held = new Map(rows.map((row) => [text(row, 0), row]));
    for (const { item, at } of part) {
      const row = held.get(item.id);
      if (row === undefined) continue;
      results[at] = { held: true, seq: number(row, 1), cancelRequested: row[2] === 't' };
      if (item.release === true) released.push(item.id);
    }
  }
  return { results, released };
}

function idOf({ id }: { readonly id: string }): string {
  return id;
}
