import type { IntentRecord, RenewRequest, RenewResult } from '@durable-api/core';
import { DueSets } from '../due-sets.ts';
import { asList, asNumber } from '../reply.ts';
import { allOrThrow, scatter } from '../scatter.ts';
import { RENEW } from '../scripts/renew.ts';
import type { Session } from '../session.ts';
import type { ShardKeys } from '../shard-keys.ts';
import { getRecord } from './get.ts';

type Lease = RenewRequest['leases'][number] & { readonly record: IntentRecord };

/**
 * Renews leases or gives them back. A lease does not tell the operation, which names the due set, and
 * a script must be given all keys that it writes; so the records are read first.
 */
export async function renew(
  session: Session,
  { leaseMs, leases }: RenewRequest,
): Promise<RenewResult> {
  const records = await Promise.all(leases.map(({ id }) => getRecord(session, id)));
  const known = leases.flatMap((lease, i) => {
    const record = records[i];
    return record === undefined ? [] : [{ ...lease, record }];
  });
  const settled = await scatter(session, known, {
    placeOf: ({ id }) => id,
    bytesOf: ({ id }) => id.length,
    send: (shard, part) => send(session, shard, leaseMs, part),
  });
  const renewed = allOrThrow(settled).values();
  return records.map((record) => {
    const result = record === undefined ? undefined : renewed.next().value;
    return result ?? { held: false };
  });
}

async function send(
  session: Session,
  shard: ShardKeys,
  leaseMs: number,
  leases: readonly Lease[],
): Promise<RenewResult[number][]> {
  const dues = new DueSets(shard);
  const args = leases.flatMap(({ id, lease, record, release }) => [
    id,
    String(dues.numberOf(record)),
    String(lease),
    release === true ? '1' : '',
  ]);
  const reply = await session.connection.script(
    shard.tag,
    RENEW,
    [...dues.keys, ...leases.map(({ id }) => shard.intent(id))],
    [shard.wakeUps, session.sender, String(leaseMs), ...dues.args, ...args],
  );
  return asList(reply).map((result) => {
    if (result === 0) return { held: false };
    const [seq, cancel] = asList(result);
    return { held: true, seq: asNumber(seq), cancelRequested: cancel === '1' };
  });
}
