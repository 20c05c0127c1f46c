import type { FullReply } from '@durable-api/core';
import { handOn } from '../agents/hand-on.ts';
import { noteReplyThread } from '../inbox/reply-thread.ts';
import type { GatewayCore } from '../gateway-core.ts';
import { instant } from '../http/json.ts';
import { ok, type GatewayRequest } from '../http/route.ts';
import { checkRecipient } from '../operations/recipients.ts';
import { noteTask } from '../tasks/task-list.ts';
import { idempotencyOf, keyReused } from './idempotent-call.ts';
import { parseEnvelope } from './parse-envelope.ts';

/** `POST /v1/intents` */
export async function createIntent(core: GatewayCore, request: GatewayRequest): Promise<FullReply> {
  const { store, home, ledger } = core;
  const { body, caller } = request;
  const { envelope, deadlineAt } = parseEnvelope(body, caller, home, ledger.now());
  checkRecipient(core, envelope.to);
  await core.kills.check(envelope.from);
  const idempotency = idempotencyOf(request, 'POST /v1/intents', body);
  const id = ledger.newId();
  // Before it is there, so that no task is missing from the list.
  if (envelope.humanTask !== null) await noteTask(core, id);
  await noteReplyThread(core, id, envelope);
  const { record, isNew, ...created } = await store.create(envelope, {
    id,
    deadlineAt,
    idempotency,
  });
  if (isNew) await handOn(core, record, created.envelope);
  else if (record.idempotency?.fingerprint !== idempotency?.fingerprint) throw keyReused();
  return ok({
    ok: true,
    intent_id: record.id,
    status: 'SUBMITTED',
    created_at: instant(record.createdAt),
  });
}
