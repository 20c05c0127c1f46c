import type { CommitRequest, CommitResult } from '@durable-api/core';
import { DueSets } from '../due-sets.ts';
import { joinEvents } from '../event-lines.ts';
import { packList, unpackRecord } from '../intent-fields.ts';
import { asList, asText } from '../reply.ts';
import { scatter } from '../scatter.ts';
import { COMMIT } from '../scripts/commit.ts';
import type { ScriptArgument } from '../connection.ts';
import { writeAcknowledged, type Session } from '../session.ts';
import type { ShardKeys } from '../shard-keys.ts';
import { packResponse } from '../response-field.ts';

/** Writes changes; those of one part of the data can fail while others do not. */
export function commit(
  session: Session,
  batch: readonly CommitRequest[],
): Promise<PromiseSettledResult<CommitResult>[]> {
  return scatter(session, batch, {
    placeOf: ({ record }) => record.id,
    bytesOf: bytesOfCommit,
    send: (shard, part) => send(session, shard, part),
  });
}

async function send(
  session: Session,
  shard: ShardKeys,
  batch: readonly CommitRequest[],
): Promise<CommitResult[]> {
  const dues = new DueSets(shard);
  const args = batch.flatMap((request) => argumentsOf(request, dues));
  const dueKeys = dues.keys;
  const { stats, ended, keyedByEnd, keyedByCreation } = shard;
  const intents = batch.map(({ record }) => shard.intent(record.id));
  const reply = await writeAcknowledged(
    session,
    shard,
    COMMIT,
    [stats, ended, keyedByEnd, keyedByCreation, ...dueKeys, ...intents],
    [
      shard.wakeUps,
      session.sender,
      String(dueKeys.length),
      String(shard.intentPrefix.length),
      ...args,
    ],
  );
  return asList(reply).map((result, i) => toResult(batch[i]?.record.id ?? '', result));
}

function argumentsOf(
  { expected, record, events, result }: CommitRequest,
  dues: DueSets,
): ScriptArgument[] {
  const due = dues.numberOf(record.operation);
  const { seq, status, deadlineAt, updatedAt, createdAt, idempotency } = record;
  const dueAt = record.holder === null ? (record.dueAt ?? '-') : '=';
  const key = dueAt === '-' ? (idempotency?.key ?? null) : null;
  const guard = `${expected.seq} ${expected.lease ?? '-'}`;
  const changes = `${seq} ${status} ${dueAt} ${deadlineAt ?? '-'}`;
  const cancel = record.cancelRequestedAt === null ? '0' : '1';
  const rest = `${cancel} ${updatedAt} ${key === null ? '-' : createdAt} ${result === undefined ? '0' : '1'}`;
  return [
    `${due} ${guard} ${changes} ${rest}`,
    packList(record),
    joinEvents(events),
    ...(key === null ? [] : [key]),
    ...(result === undefined ? [] : [packResponse(result)]),
  ];
}

function bytesOfCommit({ events, result }: CommitRequest): number {
  let bytes = 512 + (result?.body.byteLength ?? 0);
  for (const { json } of events) bytes += json.length;
  return bytes;
}

function toResult(id: string, reply: unknown): CommitResult {
  if (reply === 1) return { outcome: 'ok' };
  if (reply === 2) return { outcome: 'stale' };
  if (reply === 0) return { outcome: 'missing' };
  const [record, meta] = asList(reply);
  return {
    outcome: 'moved',
    record: unpackRecord(id, { record: asText(record), meta: asText(meta) }),
  };
}
