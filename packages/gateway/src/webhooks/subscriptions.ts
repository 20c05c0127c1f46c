import type { Ledger } from '@durable-api/core';
import { AxpError } from '../http/errors.ts';
import { instant, isObject, type JsonObject } from '../http/json.ts';
import { Register } from '../storage/register.ts';

/** The most subscriptions that a gateway keeps: every process has them all in memory. */
const MAX_SUBSCRIPTIONS = 1_000;

/** Somebody who wants to be told of events. */
export interface Subscription {
  readonly id: string;
  /** As it was written. */
  readonly ownerAgent: string;
  /** The key of the agent that is told of what concerns it; null for all there is. */
  readonly concerns: string | null;
  readonly callbackUrl: string;
  /** Names of events; one that ends with `*` stands for all that begin so. */
  readonly eventTypes: readonly string[];
  readonly active: boolean;
  readonly description: string | null;
  readonly secret: string | null;
  readonly createdAt: string;
}

/** The webhook subscriptions; all processes know them. */
export class Subscriptions {
  readonly #ledger: Ledger;
  readonly #register: Register;

  constructor(ledger: Ledger) {
    this.#ledger = ledger;
    this.#register = new Register(ledger, 'webhooks');
  }

  /** @throws AxpError 409 when there are too many */
  async add(given: Omit<Subscription, 'id' | 'createdAt'>): Promise<Subscription> {
    const subscription = {
      ...given,
      id: this.#ledger.newId(),
      createdAt: instant(this.#ledger.now()),
    };
    await this.#register.update(subscription.id, () => {
      if (this.#register.size < MAX_SUBSCRIPTIONS) return { ...subscription };
      const message = `There are ${MAX_SUBSCRIPTIONS} subscriptions already, which is the most.`;
      throw new AxpError(409, 'too_many_subscriptions', message);
    });
    return subscription;
  }

  /** In the order of their making. */
  async list(): Promise<readonly Subscription[]> {
    await this.#register.open();
    return [...this.#register.entries()]
      .map(([id, value]) => toSubscription(id, value))
      .sort((a, b) => (a.id < b.id ? -1 : 1));
  }

  /** Null when there is none, or none any more. */
  async get(id: string): Promise<Subscription | null> {
    await this.#register.open();
    const value = this.#register.get(id);
    return value === undefined ? null : toSubscription(id, value);
  }

  /** Those that want this event: of all, or of one of these owners. */
  async wanting(eventType: string, owners: readonly string[]): Promise<readonly Subscription[]> {
    await this.#register.open();
    const wanting: Subscription[] = [];
    for (const [id, value] of this.#register.entries()) {
      const one = toSubscription(id, value);
      const { active, concerns, eventTypes } = one;
      if (!active || (concerns !== null && !owners.includes(concerns))) continue;
      if (eventTypes.some((type) => matches(type, eventType))) wanting.push(one);
    }
    return wanting;
  }

  /** Whether there is none, which is looked at with every change of an intent. */
  async isEmpty(): Promise<boolean> {
    await this.#register.open();
    return this.#register.size === 0;
  }

  async remove(id: string): Promise<void> {
    await this.#register.update(id, (current) => (current === undefined ? undefined : null));
  }
}

function matches(wanted: string, eventType: string): boolean {
  return wanted.endsWith('*') ? eventType.startsWith(wanted.slice(0, -1)) : wanted === eventType;
}

function toSubscription(id: string, value: JsonObject): Subscription {
  const text = (name: string): string | null => {
    const member = isObject(value) ? value[name] : undefined;
    return typeof member === 'string' ? member : null;
  };
  const types: unknown = value['eventTypes'];
  return {
    id,
    ownerAgent: text('ownerAgent') ?? '',
    concerns: text('concerns'),
    callbackUrl: text('callbackUrl') ?? '',
    eventTypes: Array.isArray(types) ? types.filter((type) => typeof type === 'string') : [],
    active: value['active'] === true,
    description: text('description'),
    secret: text('secret'),
    createdAt: text('createdAt') ?? '',
  };
}
