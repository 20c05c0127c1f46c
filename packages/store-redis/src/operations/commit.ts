import type { CommitRequest, CommitResult, StoredResponse } from '@durable-api/core';
import { DueSets } from '../due-sets.ts';
import { eventField, joinEvents } from '../event-lines.ts';
import { packRecord, unpackRecord } from '../intent-fields.ts';
import { asList, asText } from '../reply.ts';
import { scatter } from '../scatter.ts';
import { COMMIT } from '../scripts/commit.ts';
import type { ScriptArgument } from '../connection.ts';
import { writeAcknowledged, type Session } from '../session.ts';
import type { ShardKeys } from '../shard-keys.ts';
import { endedMember } from './prune.ts';

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
    [shard.wakeUps, session.sender, String(dueKeys.length), ...args],
  );
  return asList(reply).map(toResult);
}

function argumentsOf(
  { expected, record, events, result }: CommitRequest,
  dues: DueSets,
): ScriptArgument[] {
  const isReleased = record.holder === null;
  const hasEnded = isReleased && record.dueAt === null;
  return [
    record.id,
    String(dues.numberOf(record.operation)),
    String(expected.seq),
    expected.lease === null ? '' : String(expected.lease),
    String(record.seq),
    record.status,
    isReleased ? '1' : '',
    String(record.dueAt ?? '-'),
    String(record.deadlineAt ?? '-'),
    record.cancelRequestedAt === null ? '0' : '1',
    packRecord(record).record,
    eventField(record.seq),
    joinEvents(events),
    hasEnded ? endedMember(record) : '',
    String(record.updatedAt),
    record.idempotency === null ? '' : String(record.createdAt),
    ...(result === undefined ? ['0'] : ['2', headOf(result), bodyOf(result)]),
  ];
}

function headOf({ status, headers }: StoredResponse): string {
  return JSON.stringify({ status, headers });
}

function bodyOf({ body }: StoredResponse): Buffer {
  return Buffer.from(body.buffer, body.byteOffset, body.byteLength);
}

function bytesOfCommit({ events, result }: CommitRequest): number {
  let bytes = 512 + (result?.body.byteLength ?? 0);
  for (const { json } of events) bytes += json.length;
  return bytes;
}

function toResult(reply: unknown): CommitResult {
  if (reply === 1) return { outcome: 'ok' };
  if (reply === 2) return { outcome: 'stale' };
  if (reply === 0) return { outcome: 'missing' };
  const [record, meta] = asList(reply);
  return {
    outcome: 'moved',
    record: unpackRecord({ record: asText(record), meta: asText(meta) }),
  };
}
