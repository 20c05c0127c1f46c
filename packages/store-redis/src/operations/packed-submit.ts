import type { IntentRecord, SubmitRequest } from '@durable-api/core';
import { joinEvents } from '../event-lines.ts';
import { packRecord, unpackRecord } from '../intent-fields.ts';

/** An intent to store, as scripts take it and reservations keep it. */
export interface PackedSubmit {
  readonly id: string;
  readonly key: string | null;
  readonly operation: string;
  /** What it waits among: the operation, and its key if it has one. */
  readonly queue: Pick<IntentRecord, 'operation' | 'key' | 'priority'>;
  readonly record: string;
  readonly meta: string;
  readonly input: string;
  readonly events: string;
}

/** One with an idempotency key. */
export interface KeyedSubmit extends PackedSubmit {
  readonly key: string;
}

/** Tells whether it has an idempotency key. */
export function isKeyed(submit: PackedSubmit): submit is KeyedSubmit {
  return submit.key !== null;
}

/** Packs a request. */
export function packSubmit({ record, events, input }: SubmitRequest): PackedSubmit {
  const { id, operation, idempotency } = record;
  const fields = packRecord(record);
  const key = idempotency?.key ?? null;
  return { id, key, operation, queue: record, ...fields, input, events: joinEvents(events) };
}

/** About how large it is. */
export function bytesOfSubmit({ record, input, events }: PackedSubmit): number {
  return record.length + input.length + events.length;
}

/** Reads a reservation back; null when there is none. */
export function unpackReservation(
  key: string,
  fields: Readonly<Record<string, string>>,
): KeyedSubmit | null {
  const { id, operation, record, meta, input, events } = fields;
  if (id === undefined) return null;
  const text = (value: string | undefined): string => {
    if (value === undefined) throw new Error(`The reservation of ${id} is incomplete.`);
    return value;
  };
  const packed = { record: text(record), meta: text(meta) };
  return {
    id,
    key,
    operation: text(operation),
    queue: unpackRecord(id, packed),
    ...packed,
    input: text(input),
    events: text(events),
  };
}
