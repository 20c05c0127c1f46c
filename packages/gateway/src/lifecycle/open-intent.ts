import type { IntentEvent } from '@durable-api/protocol';
import type { StoredEvent } from '@durable-api/core';
import { instant } from '../http/json.ts';
import type { Envelope } from '../intents/envelope.ts';
import { isForMailbox, type AxpIntent } from '../intents/intent-state.ts';
import { Draft, type IntentChange } from './draft.ts';

/**
 * The first events of an intent: created and submitted, and of one that a person has to deal with that it
 * waits for them.
 */
export function openIntent(
  { record, state }: Pick<AxpIntent, 'record' | 'state'>,
  events: readonly IntentEvent[],
  envelope: Envelope,
): IntentChange {
  const first = events.map(({ seq, type, status, at }): StoredEvent => {
    const details = seq === 1 ? { intent_type: envelope.intentType } : {};
    const actor = envelope.fromAgent ?? 'gateway';
    const event = {
      intent_id: record.id,
      seq,
      event_type: type,
      status,
      at: instant(at),
      actor,
      details,
    };
    return { seq, type, json: JSON.stringify(event) };
  });
  const { humanTask } = envelope;
  if (isForMailbox(envelope) || humanTask === null) return { record, state, events: first };
  const draft = new Draft({ record, state }, record.createdAt)
    .wait('WAITING_FOR_HUMAN', state.pendingWith)
    .event('human_task_assigned', 'WAITING', { humanTask, details: { human_task: humanTask } });
  const opened = draft.done();
  if (opened === null) return { record, state, events: first };
  return { ...opened, events: [...first, ...opened.events] };
}
