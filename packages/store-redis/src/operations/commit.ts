import type { CommitRequest, CommitResult } from '@durable-api/core';
import { DueSets } from '../due-sets.ts';
import { joinEvents } from '../event-lines.ts';
import { packList, unpackRecord } from '../intent-fields.ts';
import { asList, asText } from '../reply.ts';
import { scatter } from '../scatter.ts';
import { COMMIT } from '../scripts/commit.ts';
import { ownedLiveKey } from './live-key.ts';
import { settle, type Settling } from './reservations.ts';
import type { ScriptArgument } from '../connection.ts';
import { writeAcknowledged, type Session } from '../session.ts';
import type { ShardKeys } from '../shard-keys.ts';
import { packResponse } from '../response-field.ts';

/** Writes changes; those of one part of the data can fail while others do not. */
export async function commit(
  session: Session,
  batch: readonly CommitRequest[],
): Promise<PromiseSettledResult<CommitResult>[]> {
  const results = await scatter(session, batch, {
    placeOf: ({ record }) => record.id,
    bytesOf: bytesOfCommit,
    send: (shard, part) => send(session, shard, part),
  });
  freeLiveKeys(session, batch, results);
  return results;
}

/** Frees the live keys that were given up. Until then, and if it fails, who needs one looks who has it. */
function freeLiveKeys(
  session: Session,
  batch: readonly CommitRequest[],
  results: readonly PromiseSettledResult<CommitResult>[],
): void {
  const freed: Settling[] = [];
  for (const [i, { record, freesLiveKey }] of batch.entries()) {
    const result = results[i];
    if (freesLiveKey === undefined || result?.status !== 'fulfilled') continue;
    if (result.value.outcome === 'ok')
      freed.push({ key: ownedLiveKey(freesLiveKey), id: record.id, how: 'release' });
  }
  if (freed.length > 0) session.background(settle(session, freed));
}

async function send(
  session: Session,
  shard: ShardKeys,
  batch: readonly CommitRequest[],
): Promise<CommitResult[]> {
  const dues = new DueSets(shard);
  const args = batch.flatMap((request) => argumentsOf(request, dues));
  const { stats, ended, keyedByEnd, keyedByCreation } = shard;
  const intents = batch.map(({ record }) => shard.intent(record.id));
  const reply = await writeAcknowledged(
    session,
    shard,
    COMMIT,
    [stats, ended, keyedByEnd, keyedByCreation, ...dues.keys, ...intents],
    [shard.wakeUps, session.sender, String(shard.intentPrefix.length), ...dues.args, ...args],
  );
  return asList(reply).map((result, i) => toResult(batch[i]?.record.id ?? '', result));
}

function argumentsOf(
  { expected, record, events, result, notes = [], input }: CommitRequest,
  dues: DueSets,
): ScriptArgument[] {
  const due = dues.numberOf(record);
  const { seq, status, deadlineAt, updatedAt, createdAt, idempotency } = record;
  const dueAt = record.holder === null ? (record.dueAt ?? '-') : '=';
  const key = dueAt === '-' ? (idempotency?.key ?? null) : null;
  const guard = `${expected.seq} ${expected.lease ?? '-'}`;
  const changes = `${seq} ${status} ${dueAt} ${deadlineAt ?? '-'}`;
  const cancel = record.cancelRequestedAt === null ? '0' : '1';
  const rest = `${cancel} ${updatedAt} ${key === null ? '-' : createdAt} ${result === undefined ? '0' : '1'} ${input === undefined ? '0' : '1'} ${notes.length}`;
  return [
    `${due} ${guard} ${changes} ${rest}`,
    packList(record),
    joinEvents(events),
    ...(key === null ? [] : [key]),
    ...(result === undefined ? [] : [packResponse(result)]),
    ...(input === undefined ? [] : [input]),
    ...notes.flatMap(({ key, value }) => [key, value]),
  ];
}

function bytesOfCommit({ events, result, notes = [], input }: CommitRequest): number {
  let bytes = 512 + (result?.body.byteLength ?? 0) + (input?.length ?? 0);
  for (const { value } of notes) bytes += value.length;
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
