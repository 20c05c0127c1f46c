import type { ClaimRequest, ClaimResult, Claimed } from '@durable-api/core';
import { bigintArray, intArray, textArray } from './binary-array.ts';
import type { Database } from './database.ts';
import { decodeRecord, nullable, number, RECORD_WIDTH, text } from './record.ts';
import { CLAIM_KEYED } from './sql/claim.ts';

/** Where the record begins in a row, after what the claim as a whole tells. */
const RECORD_AT = 4;

/** Takes leases of intents with keys: see `Store.claim`. */
export async function claimKeyed(
  database: Database,
  { keyed = [], limit, holder, leaseMs }: ClaimRequest,
  isFirst: boolean,
): Promise<ClaimResult> {
  const rates = keyed.map(({ rateLimit }) => rateLimit);
  const { rows } = await database.runPrepared(CLAIM_KEYED, [
    database.schema,
    textArray(keyed.map(({ operation }) => operation)),
    intArray(keyed.map(({ room }) => room)),
    intArray(keyed.map(({ perKey }) => perKey)),
    intArray(rates.map((rate) => rate?.limit ?? null)),
    bigintArray(rates.map((rate) => rate?.periodMs ?? null)),
    limit,
    holder,
    leaseMs,
    // Whoever looked before this process came may have gone by other limits.
    String(isFirst),
  ]);
  const [first, ...others] = rows;
  if (first === undefined) throw new Error('A claim told nothing.');
  const ids = text(first, 2).split(',');
  const ranks = new Map(ids.map((id, rank) => [id, rank]));
  const rankOf = ({ record }: Claimed): number => ranks.get(record.id) ?? 0;
  const claimed = others
    .map((row): Claimed => ({
      record: decodeRecord(row, RECORD_AT),
      input: text(row, RECORD_AT + RECORD_WIDTH),
    }))
    .sort((a, b) => rankOf(a) - rankOf(b));
  return {
    claimed,
    nextDueAt: nullable(first, 1),
    isHeldBack: first[3] === 't',
    now: number(first, 0),
  };
}
