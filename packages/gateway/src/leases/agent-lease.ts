import { createIntent, type Claimed, type IntentRecord } from '@durable-api/core';
import { isTerminal } from '@durable-api/protocol';
import type { GatewayCore } from '../gateway-core.ts';
import { isObject } from '../http/json.ts';
import { addTo } from '../storage/endless-intent.ts';
import { loseAll } from './lose-intents.ts';

/** The operation of leases: an intent of its own kind, which is due when nobody has renewed it. */
export const LEASE = 'axp.lease';
const ID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;
/** The `attempt` of a lease that is being ended. */
const ENDING = 1;
/** When the end of a lease is begun anew that was cut short. */
const CUT_SHORT_MS = 5_000;

/** A lease that holds. */
export interface HeldLease {
  readonly record: IntentRecord;
  readonly leaseMs: number;
}

/** Opens a lease of the agent with this address; resolves to its id. */
export async function openLease(
  { ledger }: GatewayCore,
  address: string,
  leaseMs: number,
): Promise<string> {
  const id = ledger.newId();
  const { record, events } = createIntent(
    { id, operation: LEASE, owner: address, deadlineAt: null, idempotency: null },
    ledger.now(),
    null,
  );
  const stored = events.map(({ seq, type, status, at }) => {
    const event = { intent_id: id, seq, event_type: type, status, at: new Date(at).toISOString() };
    return { seq, type, json: JSON.stringify(event) };
  });
  const input = JSON.stringify({ body: { lease_ms: leaseMs }, rest: {} });
  const due = { ...record, dueAt: record.createdAt + leaseMs };
  await ledger.submit({ record: due, events: stored, input });
  return id;
}

/** The lease of this agent, if it holds. */
export async function findLease(
  { ledger }: GatewayCore,
  address: string,
  id: string,
): Promise<HeldLease | null> {
  if (!ID.test(id)) return null;
  const [found] = await ledger.get({ ids: [id], include: 'input' });
  if (found === undefined) return null;
  const { record } = found;
  if (record.operation !== LEASE || record.owner !== address) return null;
  if (isEnding(record)) return null;
  return { record, leaseMs: leaseMsOf(found.input) };
}

/** Has the lease run anew from now on; resolves to whether it still holds. */
export async function renewLease(
  core: GatewayCore,
  { record, leaseMs }: HeldLease,
): Promise<boolean> {
  const { ledger } = core;
  const dueAt = ledger.now() + leaseMs;
  const written = await addTo(ledger, record, { entries: [{}], record: { dueAt } });
  if (written === null) return false;
  // Somebody else has renewed it at the same time, or is about to end it.
  return written.isWritten || !isEnding(written.record);
}

/** Ends a lease that has run out. */
export async function seeToLease(core: GatewayCore, { record }: Claimed): Promise<void> {
  await endLease(core, record, 'lease_lost');
}

/** Ends a lease. What is held by it is sent again, and that is begun anew when it is cut short. */
export async function endLease(
  core: GatewayCore,
  record: IntentRecord,
  reason: 'lease_lost' | 'released',
): Promise<void> {
  const { ledger } = core;
  let current = record;
  if (!isEnding(current)) {
    // From here on nothing more is claimed under it. If this process goes away, another one ends it.
    const ending = { attempt: ENDING, dueAt: ledger.now() + CUT_SHORT_MS };
    const marked = await addTo(ledger, current, { entries: [{ reason }], record: ending });
    // It was renewed in time, or is ended by somebody else.
    if (marked?.isWritten !== true) return;
    current = marked.record;
  }
  await loseAll(core, record.owner, record.id, reason);
  await addTo(ledger, current, { entries: [{ reason }], isEnd: true });
}

function isEnding({ status, attempt }: IntentRecord): boolean {
  return isTerminal(status) || attempt === ENDING;
}

function leaseMsOf(json: string | undefined): number {
  const input: unknown = JSON.parse(json ?? '{}');
  const body = isObject(input) && isObject(input['body']) ? input['body'] : {};
  return Number(body['lease_ms'] ?? 15_000);
}
