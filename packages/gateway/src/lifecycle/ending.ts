import type { JsonObject } from '../http/json.ts';
import type { AxpIntent, Outcome } from '../intents/intent-state.ts';
import { Draft } from './draft.ts';

/** Its deadline has passed. */
export function timeOut(intent: AxpIntent, now: number): Draft {
  return new Draft(intent, now).end('TIMED_OUT', { reason: 'deadline' }, 'gateway');
}

/** Somebody states how it ended. */
export function resolve(
  intent: AxpIntent,
  status: 'COMPLETED' | 'FAILED' | 'CANCELED',
  outcome: Outcome,
  actor: string,
  now: number,
): Draft {
  return new Draft(intent, now).end(status, outcome, actor);
}

/** Its agent answers: that it works on it belongs to the story, also when it never said so. */
export function finish(
  intent: AxpIntent,
  outcome: { readonly result: JsonObject } | { readonly error: JsonObject },
  actor: string,
  now: number,
): Draft {
  const draft = goOn(intent, actor, now);
  return draft.end('result' in outcome ? 'COMPLETED' : 'FAILED', outcome, actor);
}

/** It is worked on, by whoever was waited for. */
export function goOn(intent: AxpIntent, actor: string, now: number, always = false): Draft {
  const draft = new Draft(intent, now);
  if (intent.record.status === 'IN_PROGRESS' && !always) return draft;
  return draft.patch({ redeliverAt: null }).event('in_progress', 'IN_PROGRESS', { actor });
}
