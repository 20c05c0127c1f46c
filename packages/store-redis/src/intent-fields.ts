import type { IntentRecord } from '@durable-api/core';

/**
 * A record as it is stored, in two fields: `record` has what changes with seq alone, as JSON; `meta`
 * has what scripts look at and change, in words: seq, status, lease, lostLeases, dueAt, deadlineAt,
 * whether a cancel was requested, holder. The holder comes last, since it may have blanks.
 */
export interface IntentFields {
  readonly record: string;
  readonly meta: string;
}

const META = /^(\S+) (\S+) (\S+) (\S+) (\S+) (\S+) (\S+) ([^]*)$/;

/** Packs a record. */
export function packRecord(intent: IntentRecord): IntentFields {
  const { lease, holder, lostLeases, dueAt, ...rest } = intent;
  const { seq, status, deadlineAt, cancelRequestedAt } = rest;
  const cancel = cancelRequestedAt === null ? 0 : 1;
  const instants = `${dueAt ?? '-'} ${deadlineAt ?? '-'}`;
  return {
    record: JSON.stringify(rest),
    meta: `${seq} ${status} ${lease} ${lostLeases} ${instants} ${cancel} ${holder ?? ''}`,
  };
}

/** Reads back what {@link packRecord} packed and scripts may have changed. */
export function unpackRecord({ record, meta }: IntentFields): IntentRecord {
  const words = META.exec(meta);
  if (words === null) throw new Error(`An intent has the malformed meta "${meta}".`);
  const [, , , lease, lostLeases, dueAt, , , holder] = words;
  return {
    ...JSON.parse(record),
    lease: Number(lease),
    holder: holder === '' ? null : (holder ?? null),
    lostLeases: Number(lostLeases),
    dueAt: dueAt === '-' ? null : Number(dueAt),
  };
}
