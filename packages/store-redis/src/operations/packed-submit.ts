import type { SubmitRequest } from '@durable-api/core';
import { eventField, joinEvents } from '../event-lines.ts';
import { packRecord } from '../intent-fields.ts';

/** An intent to store, as scripts take it and reservations keep it. */
export interface PackedSubmit {
  readonly id: string;
  readonly key: string | null;
  readonly operation: string;
  readonly dueAt: string;
  readonly status: string;
  readonly record: string;
  readonly meta: string;
  readonly input: string;
  readonly eventField: string;
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
  return {
    id: record.id,
    key: record.idempotency?.key ?? null,
    operation: record.operation,
    dueAt: record.dueAt === null ? '' : String(record.dueAt),
    status: record.status,
    ...packRecord(record),
    input,
    eventField: eventField(record.seq),
    events: joinEvents(events),
  };
}

/** About how large it is. */
export function bytesOfSubmit({ record, input, events }: PackedSubmit): number {
  return record.length + input.length + events.length;
}

/** What a reservation keeps of it, in the order in which the script takes it. */
export function reservationArguments(submit: PackedSubmit): readonly string[] {
  const { operation, dueAt, status, record, meta, input, eventField, events } = submit;
  return [operation, dueAt, status, record, meta, input, eventField, events];
}

/** Reads a reservation back; null when there is none. */
export function unpackReservation(
  key: string,
  fields: Readonly<Record<string, string>>,
): KeyedSubmit | null {
  const { id, operation, due_at, status, record, meta, input, event_field, events } = fields;
  if (id === undefined) return null;
  const text = (value: string | undefined): string => {
    if (value === undefined) throw new Error(`The reservation of ${id} is incomplete.`);
    return value;
  };
  return {
    id,
    key,
    operation: text(operation),
    dueAt: text(due_at),
    status: text(status),
    record: text(record),
    meta: text(meta),
    input: text(input),
    eventField: text(event_field),
    events: text(events),
  };
}
