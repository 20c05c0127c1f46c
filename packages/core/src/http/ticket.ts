import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto';
import { intentLinks, type WireTicket } from '@durable-api/protocol';
import type { Engine } from '../engine/engine.ts';
import type { Operation, OperationDefinition } from '../engine/operation.ts';
import { DurableError } from '../errors.ts';
import type { ResolvedOptions } from '../options.ts';
import type { IntentRecord } from '../state/intent.ts';
import type { FullReply, PlainRequest } from './exchange.ts';
import { hashParts } from './fingerprint.ts';
import { findOwn, type Exchange } from './handlers.ts';
import { jsonReply } from './reply.ts';

/** The parts of a ticket: when it expires, what makes it unique, and what proves it. */
const TICKET = /^([0-9a-z]{8,10})\.([\w-]{22})\.([\w-]{43})$/;

type TicketSetup = NonNullable<ResolvedOptions['tickets']>;

/**
 * The use of a ticket is an intent of this operation, with the ticket as its idempotency key: the store
 * decides who is first, on any number of hosts, and forgets it like any other intent.
 */
export const TICKET_USE: OperationDefinition = {
  name: 'durable.ticket',
  run: () => Promise.resolve({ status: 204, headers: {}, body: new Uint8Array() }),
};

/** `POST P/{id}/ticket`: leave to observe the intent, once and soon, for who cannot send headers. */
export async function mintTicket<Source>(
  exchange: Exchange<Source>,
  intentId: string,
): Promise<FullReply> {
  const { tickets } = exchange.setup.options;
  if (tickets === null) throw new DurableError('intent_not_found', 'There are no tickets here.');
  const { secret, ttlMs } = tickets;
  const { record } = await findOwn(exchange, intentId);
  const expiresAt = exchange.setup.engine.clock.now() + ttlMs;
  const expiry = Math.floor(expiresAt).toString(36);
  const nonce = randomBytes(16).toString('base64url');
  const ticket = `${expiry}.${nonce}.${proof(secret, record, expiry, nonce)}`;
  const { events } = intentLinks(exchange.request.operationPath, intentId);
  const body: WireTicket = {
    ok: true,
    intent_id: intentId,
    ticket,
    expires_at: new Date(expiresAt).toISOString(),
    url: `${events}?ticket=${ticket}`,
  };
  return jsonReply(200, body);
}

/** The ticket that a request for the events of an intent bears. */
export function ticketOf(request: Pick<PlainRequest, 'method' | 'query'>): string | null {
  if (request.method !== 'GET' || !request.query.includes('ticket=')) return null;
  return new URLSearchParams(request.query).get('ticket');
}

/**
 * Uses up a ticket and returns the intent that it opens.
 * @throws DurableError `ticket_invalid`, the same whether it is forged, expired, used, or another's.
 */
export async function redeemTicket(
  engine: Engine,
  use: Operation,
  ticket: string,
  intentId: string,
  { secret }: TicketSetup,
): Promise<IntentRecord> {
  const [, expiry = '', nonce = '', mac = ''] = TICKET.exec(ticket) ?? [];
  const record = (await engine.find(intentId))?.record;
  if (record === undefined || !isEqual(mac, proof(secret, record, expiry, nonce))) throw invalid();
  if (Number.parseInt(expiry, 36) <= engine.clock.now()) throw invalid();
  const key = hashParts([use.name, nonce]);
  const submitting = engine.prepare({
    operation: use,
    owner: record.owner,
    idempotency: { key, fingerprint: '' },
    input: '{"rest":{}}',
  });
  if ((await submitting.store()).outcome === 'exists') throw invalid();
  return record;
}

/** What only who knows the secret can say of this intent, its owner and this ticket. */
function proof(secret: string, record: IntentRecord, expiry: string, nonce: string): string {
  const parts = hashParts(['ticket', record.id, record.owner, expiry, nonce]);
  return createHmac('sha256', secret).update(parts).digest('base64url');
}

function isEqual(given: string, right: string): boolean {
  const [a, b] = [Buffer.from(given), Buffer.from(right)];
  return a.length === b.length && timingSafeEqual(a, b);
}

function invalid(): DurableError {
  return new DurableError(
    'ticket_invalid',
    'The ticket is expired, used, or not for this intent. Mint another: POST to the intent’s /ticket.',
  );
}
