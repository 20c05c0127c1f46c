import { addressKey, type HomeAddress } from '../addresses/address.ts';
import { agentOf, type AxpIntent } from '../intents/intent-state.ts';
import { Draft } from './draft.ts';

/** Whether somebody is to be reminded now. */
export function isReminderDue({ state }: AxpIntent, now: number): boolean {
  return state.remindAt !== null && state.remindAt <= now;
}

/**
 * Who is waited for is reminded; after the last time somebody else is told, and is the one who is waited
 * for from then on.
 */
export function remind(intent: AxpIntent, home: HomeAddress, now: number): Draft {
  const { record, state } = intent;
  const {
    afterMs = null,
    intervalMs = null,
    max = null,
    escalateTo = null,
  } = state.reminding ?? {};
  const most = max ?? (intervalMs === null ? 1 : Infinity);
  const draft = new Draft(intent, now);
  if (state.reminders < most) {
    const reminders = state.reminders + 1;
    const stepMs = intervalMs ?? afterMs;
    const goesOn = stepMs !== null && (reminders < most || escalateTo !== null);
    return draft
      .patch({ reminders, remindAt: goesOn ? now + stepMs : null })
      .event('reminder', record.status, { details: { reminder: reminders } });
  }
  draft.patch({ remindAt: null });
  if (escalateTo === null) return draft;
  const key = addressKey(escalateTo, home);
  const to = key === null ? null : agentOf(escalateTo, key);
  const isHuman = state.pendingWith?.type === 'human';
  const other = to === null ? state.pendingWith : isHuman ? { ...to, type: 'human' as const } : to;
  return draft
    .patch({ isEscalated: true, pendingWith: other })
    .event('escalated', record.status, { details: { escalate_to: escalateTo } });
}
