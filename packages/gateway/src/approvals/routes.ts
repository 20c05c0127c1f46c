import { answerOnce } from '../calls/answer-once.ts';
import type { GatewayCore } from '../gateway-core.ts';
import { AxpError, invalid } from '../http/errors.ts';
import { field, optionalText } from '../http/fields.ts';
import { instant, type JsonObject } from '../http/json.ts';
import type { GatewayRequest, Route } from '../http/route.ts';
import { actorOf } from '../intents/actor.ts';
import { derivedId } from '../storage/derived-id.ts';
import { addTo, endlessContent, findOrBegin } from '../storage/endless-intent.ts';
import { decideTask } from '../tasks/decide-task.ts';

/** The operation of decisions about something that is no intent. */
export const APPROVAL = 'axp.approval';
/** When one is ended whose recording was cut short, in ms. */
const CUT_SHORT_MS = 60_000;
const APPROVAL_ID = /^[\w:.-]{1,128}$/;

/** `/v1/approvals` */
export function approvalRoutes(core: GatewayCore): readonly Route[] {
  return [
    {
      method: 'POST',
      path: '/v1/approvals/:id/decision',
      answer: (request) => {
        const endpoint = `POST /v1/approvals/${request.params['id'] ?? ''}/decision`;
        return answerOnce(core, request, endpoint, () => decide(core, request));
      },
    },
  ];
}

/** An intent that waits for a person goes on by the decision; of anything else the decision is kept. */
async function decide(core: GatewayCore, request: GatewayRequest): Promise<JsonObject> {
  const { body, params } = request;
  const id = params['id'] ?? '';
  if (!APPROVAL_ID.test(id)) throw invalid('the id of an approval has 1 to 128 letters and digits');
  const decision = field(body, 'decision');
  if (decision !== 'approve' && decision !== 'reject') {
    throw invalid('decision must be approve or reject', { field: 'decision' });
  }
  const comment = optionalText(field(body, 'comment'), 'comment', { max: 1_000 });
  const [intent = null] = await core.store.find([id.toLowerCase()]);
  if (intent !== null) {
    await decideTask(core, request, intent, { isApproved: decision === 'approve', comment });
    const decidedAt = instant(core.ledger.now());
    return answerOf({ approval_id: id, decision, comment: comment ?? null, decided_at: decidedAt });
  }
  return answerOf(await keep(core, request, { id, decision, comment: comment ?? null }));
}

/** Keeps the first decision of an id. @throws AxpError 409 for another one */
async function keep(
  { ledger }: GatewayCore,
  request: GatewayRequest,
  {
    id,
    decision,
    comment,
  }: { readonly id: string; readonly decision: string; readonly comment: string | null },
): Promise<JsonObject> {
  const content = {
    approval_id: id,
    decision,
    comment,
    decided_at: instant(ledger.now()),
    decided_by: actorOf(request),
  };
  const kept = derivedId(APPROVAL, id);
  const dueAt = ledger.now() + CUT_SHORT_MS;
  const approval = { id: kept, operation: APPROVAL, content, dueAt };
  const { record, isNew } = await findOrBegin(ledger, approval);
  if (isNew) {
    // So that it is removed like other ended intents.
    await addTo(ledger, record, { entries: [{}], isEnd: true });
    return content;
  }
  const [found] = await ledger.get({ ids: [kept], include: 'input' });
  const earlier = found === undefined ? content : endlessContent(found);
  if (earlier['decision'] === decision) return earlier;
  throw new AxpError(
    409,
    'already_decided',
    `This was decided before: ${String(earlier['decision'])}.`,
  );
}

function answerOf({ approval_id, decision, comment, decided_at }: JsonObject): JsonObject {
  return { ok: true, approval: { approval_id, decision, comment, decided_at } };
}
