import { DurableError } from '@durable-api/core';
import type { FastifyRequest } from 'fastify';

/** A part of a request that a schema validates, as Fastify's requests call it. */
export type InputPart = 'body' | 'params' | 'query';

const PARTS: readonly InputPart[] = ['body', 'params', 'query'];

/** The inputs of a request before validation. */
export type RawInputs = Readonly<Record<InputPart, unknown>>;

/** The inputs to store; the parts in `raw` as they were before validation. */
export interface StoredInputs extends RawInputs {
  readonly raw: readonly InputPart[];
}

/** The inputs of a request right now. */
export function inputsOf(request: FastifyRequest): RawInputs {
  const { body, params, query } = request;
  return { body, params, query };
}

/**
 * The inputs to store: what the handler would see, or, where JSON cannot carry that, what validation
 * made it of. A type provider may make a `Date` of a string; the attempt has it made again.
 */
export function rawInputs(request: FastifyRequest, before: RawInputs | undefined): StoredInputs {
  const { body, params, query } = request;
  refuseStream(body);
  if (before === undefined) return { body, params, query, raw: [] };
  const inputs = { body, params, query };
  const raw = PARTS.filter((part) => inputs[part] !== before[part] && !isJson(inputs[part]));
  for (const part of raw) inputs[part] = before[part];
  return { ...inputs, raw };
}

function isJson(value: unknown): boolean {
  if (typeof value === 'number') return Number.isFinite(value);
  if (typeof value !== 'object' || value === null) {
    return ['string', 'boolean', 'undefined'].includes(typeof value) || value === null;
  }
  if (Array.isArray(value)) return value.every(isJson);
  const prototype: unknown = Object.getPrototypeOf(value);
  const isPlain = prototype === Object.prototype || prototype === null;
  return isPlain && Object.values(value).every(isJson);
}

function refuseStream(body: unknown): void {
  if (typeof body !== 'object' || body === null || !('pipe' in body)) return;
  throw new DurableError(
    'payload_not_json',
    'The body is a stream, which cannot be stored. Have a content type parser make JSON or bytes of ' +
      'it, or upload the data elsewhere and send a reference.',
  );
}
