import type { FullReply } from '@durable-api/core';
import { field, optionalInteger } from '../http/fields.ts';
import type { JsonObject } from '../http/json.ts';
import { ok } from '../http/route.ts';
import type { AxpIntent } from './intent-state.ts';

/** The `expected_policy_generation` of a body. */
export function expectedGeneration(body: JsonObject): number | undefined {
  const name = 'expected_policy_generation';
  return optionalInteger(field(body, name), name, { min: 0, max: 2 ** 31 - 1 });
}

/** Thrown when a call expects another generation of the policy than there is; it is answered 200. */
export class StaleGeneration extends Error {
  readonly reply: FullReply;

  constructor({ state }: AxpIntent) {
    super('The policy has changed.');
    this.reply = ok({
      ok: true,
      applied: false,
      reason: 'stale_policy_generation',
      policy_generation: state.policyGeneration,
    });
  }
}

/** @throws StaleGeneration */
export function checkGeneration(intent: AxpIntent, expected: number | undefined): void {
  if (expected !== undefined && expected !== intent.state.policyGeneration) {
    throw new StaleGeneration(intent);
  }
}
