import type { FullReply } from '@durable-api/core';
import type { GatewayCore } from '../gateway-core.ts';
import { rawOk, type GatewayRequest } from '../http/route.ts';
import type { Draft } from '../lifecycle/draft.ts';
import { IdempotentCall } from './idempotent-call.ts';
import type { AxpIntent } from './intent-state.ts';
import { refuseEnded, type Changed } from './intent-store.ts';
import { checkGeneration, expectedGeneration, StaleGeneration } from './policy-generation.ts';

/** A call that changes an intent. */
export interface ChangeCall {
  /** Its name, for idempotency keys. */
  readonly endpoint: string;
  readonly change: (intent: AxpIntent) => Draft | null;
  readonly answer: (changed: Changed) => object;
  /** The answer when the change comes to nothing. */
  readonly unchanged?: (intent: AxpIntent) => object;
}

class Answered extends Error {
  readonly answer: string;

  constructor(answer: string) {
    super('The call was answered before.');
    this.answer = answer;
  }
}

/**
 * Changes an intent for a call: once per idempotency key, not after its end, and only while the policy is
 * as the caller knows it.
 */
export async function changeForCall(
  { store }: GatewayCore,
  request: GatewayRequest,
  intent: AxpIntent,
  { endpoint, change, answer, unchanged }: ChangeCall,
): Promise<FullReply> {
  const call = new IdempotentCall(request, `POST ${endpoint}`);
  const expected = expectedGeneration(request.body);
  const encode = (changed: Changed): string => JSON.stringify(answer(changed));
  let last = intent;
  try {
    const changed = await store.change(
      intent,
      (current) => {
        last = current;
        const earlier = call.earlier(current);
        if (earlier !== null) throw new Answered(earlier);
        refuseEnded(current);
        checkGeneration(current, expected);
        return change(current);
      },
      call.kept(encode),
    );
    if (changed !== null) return rawOk(encode(changed));
    return rawOk(JSON.stringify(unchanged?.(last) ?? { ok: true, applied: false }));
  } catch (error) {
    if (error instanceof Answered) return rawOk(error.answer);
    if (error instanceof StaleGeneration) return error.reply;
    throw error;
  }
}
