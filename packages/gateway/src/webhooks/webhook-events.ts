import type { Claimed, Ledger } from '@durable-api/core';
import { instant, isObject, type JsonObject } from '../http/json.ts';
import { derivedId } from '../storage/derived-id.ts';
import { addTo, endlessContent, findOrBegin } from '../storage/endless-intent.ts';
import { signatureOf } from './signature.ts';
import type { Subscription, Subscriptions } from './subscriptions.ts';

/** The operations of events that somebody is told of, and of each telling. */
export const EVENT = 'axp.webhook-event';
export const DELIVERY = 'axp.webhook';
/** When a delivery that failed is tried again, in ms; after the last it is given up. */
const RETRIES_MS: readonly number[] = [30_000, 120_000, 600_000];
/** How long a receiver has to answer, in ms; less than the lease of a delivery. */
const TIMEOUT_MS = 10_000;

/** Something that happened. */
export interface WebhookEvent {
  readonly id: string;
  readonly type: string;
  readonly source: string;
  /** As the caller wrote it. */
  readonly ownerAgent: string;
  /** The keys of the agents that it concerns. */
  readonly owners: readonly string[];
  readonly payload: JsonObject;
}

/** Tells subscribers of events: each delivery is stored, and made by whichever process finds it due. */
export class WebhookEvents {
  readonly #ledger: Ledger;
  readonly #subscriptions: Subscriptions;

  constructor(ledger: Ledger, subscriptions: Subscriptions) {
    this.#ledger = ledger;
    this.#subscriptions = subscriptions;
  }

  /** Has all who want it told, where webhooks are on; resolves to how many they are once that is stored. */
  async publish(event: WebhookEvent, round: string = ''): Promise<number> {
    if (this.#ledger.webhooks === null) return 0;
    const wanting = await this.#subscriptions.wanting(event.type, event.owners);
    for (const { id } of wanting) await this.#queue(event, id, round);
    return wanting.length;
  }

  /** Keeps an event, so that it can be replayed. */
  async keep(event: WebhookEvent): Promise<void> {
    const ledger = this.#ledger;
    const intent = { id: event.id, operation: EVENT, content: { ...event }, dueAt: ledger.now() };
    const { record, isNew } = await findOrBegin(ledger, intent);
    // So that it is removed like other ended intents.
    if (isNew) await addTo(ledger, record, { entries: [{}], isEnd: true });
  }

  /** Null when there is none, or none any more. */
  async find(id: string): Promise<WebhookEvent | null> {
    const [found] = await this.#ledger.get({ ids: [id], include: 'input' });
    if (found?.record.operation !== EVENT) return null;
    const { type, source, ownerAgent, owners, payload } = endlessContent(found);
    return {
      id,
      type: String(type),
      source: String(source),
      ownerAgent: String(ownerAgent),
      owners: Array.isArray(owners) ? owners.map(String) : [],
      payload: isObject(payload) ? payload : {},
    };
  }

  /** Makes a delivery that is due. */
  async seeToDelivery({ record }: Claimed): Promise<void> {
    const ledger = this.#ledger;
    const [found] = await ledger.get({ ids: [record.id], include: 'input' });
    if (found === undefined) return;
    const { subscription_id: id, event_id: eventId, body } = endlessContent(found);
    const subscription = await this.#subscriptions.get(String(id));
    const said =
      subscription === null || !subscription.active
        ? { isDone: true, outcome: 'unsubscribed' }
        : await this.#deliver(subscription, String(eventId), String(body));
    const attempt = record.attempt + 1;
    const delayMs = RETRIES_MS[record.attempt];
    if (!said.isDone && delayMs === undefined) {
      const { logger } = ledger;
      logger.warn(
        { subscription: id, event: eventId, outcome: said.outcome },
        'A webhook was given up',
      );
    }
    const isEnd = said.isDone || delayMs === undefined;
    await addTo(ledger, found.record, {
      entries: [{ outcome: said.outcome }],
      isEnd,
      record: isEnd ? { attempt } : { attempt, dueAt: ledger.now() + delayMs },
    });
  }

  async #queue(event: WebhookEvent, subscriptionId: string, round: string): Promise<void> {
    const ledger = this.#ledger;
    const body = JSON.stringify({
      event_id: event.id,
      event_type: event.type,
      source: event.source,
      owner_agent: event.ownerAgent,
      occurred_at: instant(ledger.now()),
      payload: event.payload,
    });
    await findOrBegin(ledger, {
      id: derivedId(DELIVERY, event.id, subscriptionId, round),
      operation: DELIVERY,
      content: { subscription_id: subscriptionId, event_id: event.id, body },
      dueAt: ledger.now(),
    });
  }

  async #deliver(
    { callbackUrl: url, secret }: Subscription,
    eventId: string,
    body: string,
  ): Promise<{ readonly isDone: boolean; readonly outcome: string }> {
    const controller = new AbortController();
    const stop = this.#ledger.after(TIMEOUT_MS, () => controller.abort());
    try {
      const { signal } = controller;
      const headers = {
        'content-type': 'application/json',
        'x-axme-event-id': eventId,
        ...(secret !== null && { 'x-axme-signature': signatureOf(secret, body) }),
      };
      const answer = await this.#ledger.webhooks?.send({ url, headers, body, signal });
      const status = answer?.status ?? 0;
      return { isDone: status >= 200 && status < 300, outcome: `answered ${status}` };
    } catch (error) {
      return { isDone: false, outcome: error instanceof Error ? error.message : String(error) };
    } finally {
      stop();
    }
  }
}
