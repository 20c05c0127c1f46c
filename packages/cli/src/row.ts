import { WEBHOOK_OPERATION, type IntentRecord } from '@durable-api/core';
import { isTerminal } from '@durable-api/protocol';
import { plain, type painter } from './terminal.ts';

/** An intent of a store as one line for people. */
export function row(record: IntentRecord, paint: ReturnType<typeof painter>): string {
  const { id, status, operation, version, owner, updatedAt, error, parentIntentId } = record;
  const style = status === 'COMPLETED' ? 'green' : isTerminal(status) ? 'red' : 'cyan';
  const kin = operation === WEBHOOK_OPERATION ? 'webhook' : 'child';
  const parts = [
    id,
    paint(style, status.padEnd(11)),
    new Date(updatedAt).toISOString(),
    plain(version === undefined ? operation : `${operation} (version ${version})`),
    plain(owner),
    parentIntentId === undefined ? '' : `${kin} of ${parentIntentId}`,
    error === null ? '' : plain(`${error.code}: ${error.message}`),
  ];
  return parts.filter((part) => part !== '').join('  ');
}
