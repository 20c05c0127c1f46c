import type { Failure } from '@durable-api/protocol';
import type { JsonObject } from '../http/json.ts';

/** The longest code and message that are told, in characters. */
const MAX_CODE = 128;
const MAX_MESSAGE = 2_000;

/** An error of an agent in the form that operations have, of which one may wait for the intent. */
export function failureOf(error: JsonObject): Failure {
  const code = text(error, 'code') ?? 'agent_failed';
  const message = text(error, 'message', 'reason', 'why') ?? 'The agent failed.';
  return {
    code: code.slice(0, MAX_CODE),
    message: message.slice(0, MAX_MESSAGE).toWellFormed().replaceAll('\0', '\uFFFD'),
    retryable: false,
  };
}

function text(error: JsonObject, ...names: readonly string[]): string | undefined {
  for (const name of names) {
    const value = error[name];
    if (typeof value === 'string' && value !== '') return value;
  }
  return undefined;
}
