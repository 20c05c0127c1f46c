import { AxpError, invalid } from '../http/errors.ts';
import { isObject, type JsonObject } from '../http/json.ts';
import type { AxpIntent } from '../intents/intent-state.ts';
import type { Draft } from '../lifecycle/draft.ts';
import { finish, goOn } from '../lifecycle/ending.ts';
import { checkForm } from './check-form.ts';

/** Answers that are a no. */
const NEGATIVE = new Set(['rejected', 'declined', 'failed', 'denied']);

/** A person answers the task that the intent waits for. @throws AxpError 409, or 422 for a wrong answer */
export function answerTask(intent: AxpIntent, body: JsonObject, actor: string, now: number): Draft {
  const answer = body['task_result'];
  if (!isObject(answer)) throw invalid('task_result must be an object');
  if (intent.record.waitingReason !== 'WAITING_FOR_HUMAN') {
    throw new AxpError(409, 'not_waiting_for_human', 'The intent does not wait for a person.');
  }
  const outcome = answer['outcome'];
  if (typeof outcome !== 'string' || outcome === '')
    throw invalid('task_result.outcome is missing');
  checkAnswer(intent.state.humanTask ?? {}, answer, outcome);
  return decided(intent, !NEGATIVE.has(outcome.toLowerCase()), answer, actor, now);
}

/** An admin lets the step pass, or not, without its task's form. */
export function approveTask(
  intent: AxpIntent,
  isApproved: boolean,
  body: JsonObject,
  actor: string,
  now: number,
): Draft {
  const { reason } = body;
  const answer = {
    outcome: isApproved ? 'approved' : 'rejected',
    ...(typeof reason === 'string' && { comment: reason }),
  };
  return decided(intent, isApproved, answer, actor, now);
}

function decided(
  intent: AxpIntent,
  isYes: boolean,
  answer: JsonObject,
  actor: string,
  now: number,
): Draft {
  const { workflow } = intent.state;
  // A scenario goes on from here by itself.
  if (workflow !== null) {
    return goOn(intent, actor, now, true).patch({
      workflow: { ...workflow, answer: { is_yes: isYes, value: answer } },
      pendingWith: null,
      wakeAt: now,
    });
  }
  if (isYes) return finish(intent, { result: answer }, actor, now);
  const message = `The task was answered with ${String(answer['outcome'])}.`;
  return finish(intent, { error: { code: 'task_rejected', message, ...answer } }, actor, now);
}

/** @throws AxpError 422 */
function checkAnswer(task: JsonObject, answer: JsonObject, outcome: string): void {
  const { allowed_outcomes: allowed, required_comment: needsComment } = task;
  if (Array.isArray(allowed) && allowed.length > 0 && !allowed.includes(outcome)) {
    throw invalid(`outcome must be one of ${allowed.join(', ')}`, { field: 'outcome' });
  }
  const { comment } = answer;
  if (needsComment === true && (typeof comment !== 'string' || comment.trim() === '')) {
    throw invalid('this task needs a comment', { field: 'comment' });
  }
  const data = isObject(answer['data']) ? answer['data'] : {};
  const { data: _data, outcome: _outcome, comment: _comment, ...others } = answer;
  const values = { ...data, ...others };
  if (task['evidence_required'] === true && values['evidence'] === undefined) {
    throw invalid('this task needs data.evidence', { field: 'evidence' });
  }
  if (isObject(task['form_schema'])) checkForm(task['form_schema'], values, outcome);
}
