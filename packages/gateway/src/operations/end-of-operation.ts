import { MAX_AGENT_PAYLOAD_BYTES, type IntentRecord } from '@durable-api/core';
import { isObject, type JsonObject } from '../http/json.ts';
import type { Draft } from '../lifecycle/draft.ts';
import { operationRef } from './operation-ref.ts';

/** What an operation answered. */
export interface OperationAnswer {
  readonly status: number;
  readonly value: unknown;
}

/** The end of an intent whose operation has ended: its result, its failure, and so on. */
export function endOfOperation(
  draft: Draft,
  { status, error, operation }: IntentRecord,
  answer: OperationAnswer | null,
): Draft {
  const actor = operationRef(operation);
  const failed = (code: string, message: string, more: JsonObject = {}): Draft =>
    draft.end('FAILED', { error: { code, message, ...more } }, actor);
  switch (status) {
    case 'COMPLETED':
      if (answer === null) return failed('delivery_failed', 'The answer of the operation is gone.');
      if (answer.status >= 400) return refused(failed, answer);
      return completed(draft, failed, asObject(answer.value), actor);
    case 'FAILED':
      return failed(error?.code ?? 'operation_failed', error?.message ?? 'The operation failed.');
    case 'TIMED_OUT':
      return draft.end('TIMED_OUT', { reason: 'deadline' }, actor);
    default:
      return draft.end('CANCELED', { reason: 'The operation was canceled.' }, actor);
  }
}

type Fail = (code: string, message: string, more?: JsonObject) => Draft;

function completed(draft: Draft, failed: Fail, result: JsonObject, actor: string): Draft {
  const bytes = sizeOf(result);
  if (bytes <= MAX_AGENT_PAYLOAD_BYTES) return draft.end('COMPLETED', { result }, actor);
  const message =
    `The operation answered ${bytes} bytes; the protocol takes ${MAX_AGENT_PAYLOAD_BYTES}. ` +
    'Store it elsewhere and answer with a reference.';
  return failed('result_too_large', message);
}

function refused(failed: Fail, { status, value }: OperationAnswer): Draft {
  const message = `The operation answered ${status}.`;
  const answer = asObject(value);
  const more = sizeOf(answer) <= MAX_AGENT_PAYLOAD_BYTES ? { status, answer } : { status };
  return failed('operation_refused', message, more);
}

/** A result is an object in the protocol. */
function asObject(value: unknown): JsonObject {
  if (value instanceof Uint8Array) return { base64: Buffer.from(value).toString('base64') };
  if (isObject(value)) return value;
  return value === undefined ? {} : { value };
}

function sizeOf(value: JsonObject): number {
  return Buffer.byteLength(JSON.stringify(value));
}
