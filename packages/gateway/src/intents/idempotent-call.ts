import { canonicalJson, hashParts, type Idempotency } from '@durable-api/core';
import { AxpError } from '../http/errors.ts';
import { isObject, type JsonObject } from '../http/json.ts';
import type { GatewayRequest } from '../http/route.ts';
import type { AxpIntent } from './intent-state.ts';
import type { Changed, KeptAnswer } from './intent-store.ts';

/** A call with an idempotency key: what it is told apart by, and what its repetition must agree with. */
export function idempotencyOf(
  { caller, idempotencyKey }: Pick<GatewayRequest, 'caller' | 'idempotencyKey'>,
  endpoint: string,
  body: JsonObject,
): Idempotency | null {
  if (idempotencyKey === undefined) return null;
  return {
    key: hashParts([caller.id, endpoint, idempotencyKey]),
    fingerprint: fingerprintOf(body),
  };
}

/** 409: the key was another request's. */
export function keyReused(): AxpError {
  const message = 'This Idempotency-Key was used for a request with another body.';
  return new AxpError(409, 'idempotency_conflict', message);
}

/**
 * Answers a call that changes an intent, and the same again when it is repeated with its key: the answer
 * is kept with the change.
 */
export class IdempotentCall {
  readonly #identity: Idempotency | null;

  constructor(request: GatewayRequest, endpoint: string) {
    this.#identity = idempotencyOf(request, endpoint, request.body);
  }

  /** The answer that an earlier call was given. @throws AxpError 409 when that had another body. */
  earlier({ answers }: AxpIntent): string | null {
    if (this.#identity === null) return null;
    const kept = answers.get(this.#identity.key);
    if (kept === undefined) return null;
    const parsed: unknown = JSON.parse(kept);
    if (!isObject(parsed) || parsed['fingerprint'] !== this.#identity.fingerprint)
      throw keyReused();
    return String(parsed['answer']);
  }

  /** How the answer is kept; undefined without a key. */
  kept(answer: (changed: Changed) => string): KeptAnswer | undefined {
    if (this.#identity === null) return undefined;
    const { key, fingerprint } = this.#identity;
    return {
      key,
      encode: (changed) => JSON.stringify({ fingerprint, answer: answer(changed) }),
    };
  }
}

/** Clients make a fresh correlation id for each try, so it is no part of what must agree. */
function fingerprintOf(body: JsonObject): string {
  const { correlation_id: _id, correlationId: _alias, idempotency_key: _key, ...rest } = body;
  return hashParts([canonicalJson(rest)]);
}
