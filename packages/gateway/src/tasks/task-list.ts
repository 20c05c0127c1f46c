import type { FullReply } from '@durable-api/core';
import type { GatewayCore } from '../gateway-core.ts';
import { compact, instant, type JsonObject } from '../http/json.ts';
import { ok, type GatewayRequest } from '../http/route.ts';
import type { AxpIntent } from '../intents/intent-state.ts';

/** The mailbox of all that waits for people, or is about to. */
const TASKS = 'tasks';
/** How many intents one look takes. */
const PAGE = 128;

/** Notes that an intent waits for a person, or will in a moment. */
export async function noteTask({ mailboxes }: GatewayCore, intentId: string): Promise<void> {
  await mailboxes.get(TASKS).add({ intentId, attempt: 1 });
}

/** `GET /v1/me/tasks`: what waits for a person; for an agent, of what it has sent or was sent. */
export async function listTasks(core: GatewayCore, { caller }: GatewayRequest): Promise<FullReply> {
  const mailbox = core.mailboxes.get(TASKS);
  await mailbox.refresh();
  const entries = await mailbox.after(0);
  const tasks: JsonObject[] = [];
  for (let i = 0; i < entries.length; i += PAGE) {
    const ids = entries.slice(i, i + PAGE).map((entry) => entry.intentId);
    for (const intent of await core.store.find(ids)) {
      if (intent === null || intent.record.waitingReason !== 'WAITING_FOR_HUMAN') continue;
      const { to, from } = intent.envelope;
      const isOwn = caller.kind === 'agent' && (caller.address === to || caller.address === from);
      if (caller.kind === 'admin' || isOwn) tasks.push(taskWire(intent));
    }
  }
  return ok({ ok: true, tasks });
}

function taskWire({ record, envelope, state }: AxpIntent): JsonObject {
  const dueAt = state.wakeAt ?? record.deadlineAt;
  return compact({
    intent_id: record.id,
    intent_type: envelope.intentType,
    status: record.status,
    from_agent: envelope.fromAgent,
    assigned_at: instant(state.assignedAt ?? record.updatedAt),
    due_at: dueAt === null ? undefined : instant(dueAt),
    human_task: state.humanTask ?? {},
  });
}
