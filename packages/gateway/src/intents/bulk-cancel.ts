import type { FullReply, IntentRecord } from '@durable-api/core';
import { isTerminal } from '@durable-api/protocol';
import type { GatewayCore } from '../gateway-core.ts';
import { AxpError, invalid } from '../http/errors.ts';
import { field, optionalInteger, optionalText } from '../http/fields.ts';
import { ok, type GatewayRequest } from '../http/route.ts';
import { resolve } from '../lifecycle/ending.ts';
import { actorOf } from './actor.ts';
import { INTENT } from './intent-store.ts';
import { statusesOf } from './read-intents.ts';

const HOUR_MS = 3_600_000;
/** How many intents one look at the store takes, and how many of them at most are looked at. */
const PAGE = 500;
const MAX_LOOKS = 20;

/** `POST /v1/intents/bulk-cancel` */
export async function bulkCancel(core: GatewayCore, request: GatewayRequest): Promise<FullReply> {
  const { body, caller } = request;
  if (caller.kind !== 'admin') {
    throw new AxpError(403, 'policy_denied', 'Only an admin key may cancel in bulk.');
  }
  const hours = field(body, 'older_than_hours') ?? 24;
  if (typeof hours !== 'number' || !(hours >= 0))
    throw invalid('older_than_hours must be a number');
  const limit = optionalInteger(field(body, 'limit'), 'limit', { min: 1, max: 1_000 }) ?? 500;
  const reason = optionalText(field(body, 'reason'), 'reason', { max: 2_000 }) ?? 'bulk-cancel';
  const isDry = field(body, 'dry_run') !== false;
  const statuses = filterOf(field(body, 'status_filter'));
  const old = await olderThan(core, core.ledger.now() - hours * HOUR_MS, statuses, limit);
  const ids = old.map((record) => record.id);
  if (isDry) return ok({ ok: true, dry_run: true, would_cancel: ids.length, intent_ids: ids });
  const canceled: string[] = [];
  for (const intent of await core.store.find(ids)) {
    if (intent === null) continue;
    const changed = await core.store.change(intent, (current) =>
      isTerminal(current.record.status)
        ? null
        : resolve(current, 'CANCELED', { reason }, actorOf(request), core.ledger.now()),
    );
    if (changed !== null) canceled.push(intent.record.id);
  }
  return ok({ ok: true, dry_run: false, canceled: canceled.length, intent_ids: canceled });
}

function filterOf(value: unknown): ReturnType<typeof statusesOf> {
  if (value === undefined || (Array.isArray(value) && value.length === 0)) {
    return statusesOf('pending');
  }
  if (!Array.isArray(value) || !value.every((one) => typeof one === 'string')) {
    throw invalid('status_filter must be a list of statuses');
  }
  return statusesOf(value.join(','))?.filter((status) => !isTerminal(status));
}

async function olderThan(
  { ledger }: GatewayCore,
  before: number,
  statuses: ReturnType<typeof statusesOf>,
  limit: number,
): Promise<IntentRecord[]> {
  const old: IntentRecord[] = [];
  let last: string | undefined;
  for (let look = 0; look < MAX_LOOKS && old.length < limit; look += 1) {
    const page = await ledger.list({
      operation: INTENT,
      limit: PAGE,
      ...(statuses !== undefined && { statuses }),
      ...(last !== undefined && { before: last }),
    });
    old.push(...page.filter((record) => record.createdAt <= before));
    last = page.at(-1)?.id;
    if (page.length < PAGE) break;
  }
  return old.slice(0, limit);
}
