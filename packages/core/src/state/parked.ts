import { PARKED_CODES, type ParkedCode } from '@durable-api/protocol';
import type { IntentRecord } from './intent.ts';

/** Whether an intent is shown to wait for a process that takes its operation, or version. */
export function isParked({ status, error }: Pick<IntentRecord, 'status' | 'error'>): boolean {
  return status === 'WAITING' && error !== null && isParkedCode(error.code);
}

function isParkedCode(code: string): code is ParkedCode {
  return PARKED_CODES.some((each) => each === code);
}
