import type { IntentRecord } from '@durable-api/core';
import { DueSets } from '../due-sets.ts';
import { unpackRecord } from '../intent-fields.ts';
import { asList, asText } from '../reply.ts';
import { scatter } from '../scatter.ts';
import { SUBMIT } from '../scripts/submit.ts';
import { writeAcknowledged, type Session } from '../session.ts';
import type { ShardKeys } from '../shard-keys.ts';
import { addOperations } from './list-due.ts';
import { bytesOfSubmit, type PackedSubmit } from './packed-submit.ts';

/** An intent to store, and what to do about its idempotency key in the same script. */
export interface Storing {
  readonly submit: PackedSubmit;
  /**
   * Null leaves the key alone. Else the key must be of the intent's own shard and have no owner, or
   * the named one, of which is known that it is gone.
   */
  readonly claimsKeyFrom: string | null;
}

/** What became of it. */
export type Stored =
  | { readonly outcome: 'created' }
  /** The id was there before. */
  | { readonly outcome: 'exists'; readonly record: IntentRecord }
  /** The idempotency key belongs to the intent `owner`, in whatever shard that is. */
  | { readonly outcome: 'owned'; readonly owner: string };

/** Stores intents, each in its own shard, in one round trip. */
export function storeIntents(
  session: Session,
  items: readonly Storing[],
): Promise<PromiseSettledResult<Stored>[]> {
  return scatter(session, items, {
    placeOf: ({ submit }) => submit.id,
    bytesOf: ({ submit }) => bytesOfSubmit(submit),
    send: (shard, part) => send(session, shard, part),
  });
}

async function send(
  session: Session,
  shard: ShardKeys,
  items: readonly Storing[],
): Promise<Stored[]> {
  const dues = new DueSets(shard);
  const intentKeys: string[] = [];
  const args: string[] = [];
  for (const { submit, claimsKeyFrom } of items) {
    const { id, key, record, meta, input, events } = submit;
    intentKeys.push(shard.intent(id));
    const due = dues.numberOf(submit.queue);
    if (claimsKeyFrom === null || key === null) args.push(String(due));
    else {
      intentKeys.push(shard.keyOwner(key), shard.reservation(key));
      args.push(`${due}=${claimsKeyFrom}`);
    }
    args.push(record, meta, input, events);
  }
  const operations = items.map(({ submit }) => submit.queue.operation);
  const added = addOperations(session, shard, operations);
  // Sent behind it at once, so that a store which is being closed does not come in between.
  const written = writeAcknowledged(
    session,
    shard,
    SUBMIT,
    [shard.ids, shard.stats, ...dues.keys, ...intentKeys],
    [shard.wakeUps, session.sender, String(shard.intentPrefix.length), ...dues.args, ...args],
  );
  const [reply] = await Promise.all([written, added]);
  return asList(reply).map((result, i) => toStored(items[i]?.submit.id ?? '', result));
}

function toStored(id: string, reply: unknown): Stored {
  if (reply === 1) return { outcome: 'created' };
  if (typeof reply === 'string') return { outcome: 'owned', owner: reply };
  const [record, meta] = asList(reply);
  return {
    outcome: 'exists',
    record: unpackRecord(id, { record: asText(record), meta: asText(meta) }),
  };
}
