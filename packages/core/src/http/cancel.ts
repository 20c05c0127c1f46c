import { intentLinks, isTerminal } from '@durable-api/protocol';
import { DurableError } from '../errors.ts';
import type { PlainReply } from './exchange.ts';
import { findOwn, type Exchange } from './handlers.ts';
import { snapshotReply } from './observe.ts';

/**
 * `DELETE P/{id}` and `POST P/{id}/cancel`: 200 when the intent is CANCELED, 202 while its handler
 * winds down. Repeating it changes nothing.
 */
export async function cancel<Source>(
  exchange: Exchange<Source>,
  intentId: string,
): Promise<PlainReply> {
  const { setup } = exchange;
  const found = await findOwn(exchange, intentId, 'input');
  const { record } = found;
  if (isTerminal(record.status)) return ended(exchange, record);
  const outcome = await setup.engine.cancel(found);
  if (!('record' in outcome)) {
    throw new DurableError('intent_not_found', 'The intent is gone: it was removed just now.');
  }
  if (isTerminal(outcome.record.status)) return ended(exchange, outcome.record);
  return snapshotReply(exchange, outcome.record, undefined, 202);
}

function ended<Source>(exchange: Exchange<Source>, record: EndedRecord): PlainReply {
  if (record.status === 'CANCELED') return snapshotReply(exchange, record, undefined);
  throw new DurableError(
    'intent_terminal',
    `It ended as ${record.status}; nothing is left to cancel.`,
    {
      intentId: record.id,
      links: intentLinks(exchange.request.operationPath, record.id),
    },
  );
}

type EndedRecord = Parameters<typeof snapshotReply>[1];
