import type { Engine } from '../engine/engine.ts';
import type { Operation } from '../engine/operation.ts';
import { DurableError } from '../errors.ts';
import type { DurableApiOptions, ResolvedOptions } from '../options.ts';
import type { IntentRecord } from '../state/intent.ts';
import type { Found } from '../store/store.ts';
import type { Webhooks } from '../webhooks/webhooks.ts';
import type { PlainRequest } from './exchange.ts';

/** What the handlers of all routes share. */
interface HandlerSetup<Source> {
  readonly engine: Engine;
  readonly options: ResolvedOptions;
  readonly authorize: DurableApiOptions<Source>['authorize'];
  /** Null when they are off. */
  readonly webhooks: Webhooks | null;
}

/** A request for one operation, with its owner known. */
export interface Exchange<Source> {
  readonly setup: HandlerSetup<Source>;
  readonly operation: Operation;
  readonly request: PlainRequest<Source>;
  readonly owner: string;
}

/**
 * Finds the intent that a request names, if it is the requester's to see.
 * @throws DurableError `intent_not_found`, the same whether it does not exist, is another owner's,
 * another operation's, or not authorized.
 */
export async function findOwn<Source>(
  exchange: Exchange<Source>,
  intentId: string,
  include?: 'input' | 'result',
): Promise<Found> {
  const { setup, operation, owner } = exchange;
  const found = await setup.engine.find(intentId, include);
  const isOwn =
    found !== undefined &&
    found.record.owner === owner &&
    found.record.operation === operation.name &&
    (await mayBeSeen(exchange, found.record));
  if (isOwn) return found;
  const message = 'No intent of yours has this id here. It may be mistyped, or older than is kept.';
  throw new DurableError('intent_not_found', message);
}

/** Whether the requester may see an intent of its owner's: what `authorize` says. */
export async function mayBeSeen<Source>(
  { setup, request }: Exchange<Source>,
  record: IntentRecord,
): Promise<boolean> {
  return setup.authorize === undefined || (await setup.authorize(request.source, record));
}
