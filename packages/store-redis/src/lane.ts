import type { IntentRecord } from '@durable-api/core';

/** Where an intent with a key waits: among those of its operation, key and priority. */
export interface Lane {
  readonly operation: string;
  readonly key: string;
  readonly priority: number;
}

/** The lane of an intent; null for one without a key. */
export function laneOf({
  operation,
  key,
  priority = 0,
}: Pick<IntentRecord, 'operation' | 'key' | 'priority'>): Lane | null {
  return key === undefined ? null : { operation, key, priority };
}

/** The name of a lane among those of its operation; scripts take it apart again. */
export function laneMember({ key, priority }: Lane): string {
  return `${priority}\x1f${key}`;
}

/** The name of a lane among all; the blank at its beginning tells it from an operation. */
export function laneName(lane: Lane): string {
  return ` ${lane.operation}\x1f${laneMember(lane)}`;
}

/** The name of what limits go by: a key of an operation. */
export function placeName({ operation, key }: Lane): string {
  return `${operation}\x1f${key}`;
}
