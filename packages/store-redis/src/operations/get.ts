import type { Found, GetRequest, IntentRecord, Note } from '@durable-api/core';
import { unpackRecord } from '../intent-fields.ts';
import { asList, asText } from '../reply.ts';
import { unpackResponse } from '../response-field.ts';
import { READ_NOTES } from '../scripts/read-notes.ts';
import { shardOf, type Session } from '../session.ts';

/** Reads intents: one command each, so that it works while slots move, and one round trip for all. */
export function get(
  session: Session,
  { ids, include }: GetRequest,
): Promise<(Found | undefined)[]> {
  return Promise.all(
    ids.map((id) => {
      if (include === 'result') return getWithResult(session, id);
      return include === 'notes' ? getWithNotes(session, id) : getOne(session, id, include);
    }),
  );
}

/** The record of an intent; undefined when there is none. */
export async function getRecord(session: Session, id: string): Promise<IntentRecord | undefined> {
  return (await getOne(session, id))?.record;
}

async function getOne(session: Session, id: string, include?: 'input'): Promise<Found | undefined> {
  const { tag, intent } = shardOf(session, id);
  const fields = include === 'input' ? ['r', 'm', 'n'] : ['r', 'm'];
  const [record, meta, input] = await session.connection.call(tag, (client) =>
    client.hmget(intent(id), ...fields),
  );
  if (typeof record !== 'string' || typeof meta !== 'string') return undefined;
  return {
    record: unpackRecord(id, { record, meta }),
    ...(typeof input === 'string' && { input }),
  };
}

async function getWithResult(session: Session, id: string): Promise<Found | undefined> {
  const { tag, intent } = shardOf(session, id);
  const [record, meta, result] = await session.connection.call(tag, (client) =>
    client.hmgetBuffer(intent(id), 'r', 'm', 'a'),
  );
  if (!record || !meta) return undefined;
  return {
    record: unpackRecord(id, { record: record.toString(), meta: meta.toString() }),
    ...(result && { result: unpackResponse(result) }),
  };
}

async function getWithNotes(session: Session, id: string): Promise<Found | undefined> {
  const { tag, intent } = shardOf(session, id);
  const reply = await session.connection.script(tag, READ_NOTES, [intent(id)], []);
  const [record, meta, ...rest] = asList(reply).map(asText);
  if (record === undefined || meta === undefined) return undefined;
  const notes: Note[] = [];
  for (let i = 0; i + 1 < rest.length; i += 2) {
    notes.push({ key: rest[i] ?? '', value: rest[i + 1] ?? '' });
  }
  return { record: unpackRecord(id, { record, meta }), notes };
}
