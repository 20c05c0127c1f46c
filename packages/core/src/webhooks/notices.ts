import { isTerminal } from '@durable-api/protocol';
import { encodeStored } from '../engine/encode-stored.ts';
import type { GroupCommit, Submitted } from '../engine/group-commit.ts';
import { IdSource } from '../engine/new-id.ts';
import type { Signaller } from '../engine/signaller.ts';
import type { StoreClock } from '../engine/store-clock.ts';
import { hashParts } from '../http/fingerprint.ts';
import { toSignal } from '../intents/signal.ts';
import type { IntentRecord } from '../state/intent.ts';
import { createIntent } from '../state/submit.ts';
import { ENDED_SIGNAL, encodeDelivery, WEBHOOK_OPERATION } from './delivery-input.ts';
import { webhookOf, type WebhookWish } from './wish.ts';

/** What is done about an intent's end beside storing it. */
export interface EndNotice {
  /**
   * Stores the delivery of the end, before that is stored: who dies in between leaves a delivery that waits,
   * and none is lost. Resolves to its id, the same for every call. Rejects when the store failed.
   */
  store(): Promise<string>;
  /** The end is stored. */
  ended(): void;
}

/** What notices need and tell. */
export interface EndNoticesSetup {
  readonly commits: GroupCommit;
  readonly clock: StoreClock;
  readonly signaller: Signaller;
  /** A delivery is due. */
  readonly onDue: (dueAt: number) => void;
  readonly onError: (error: unknown) => void;
}

/** How long a delivery waits for an end that is just being written before it gives up its place, in ms. */
export const MOMENT_MS = 2_000;

/** Sees to it that the ends of intents are told to whom their submit has named. */
export class EndNotices {
  readonly #setup: EndNoticesSetup;
  readonly #ids = new IdSource();

  constructor(setup: EndNoticesSetup) {
    this.#setup = setup;
  }

  /** What is to be done about the end of an intent with this input; null for most. */
  readonly noticeOf = (record: IntentRecord, input: string | undefined): EndNotice | null => {
    const wish = webhookOf(input);
    if (wish === null) return null;
    let delivery: IntentRecord | null = null;
    return {
      store: async () => (delivery ??= await this.#store(record, wish)).id,
      ended: () => {
        if (delivery !== null) this.#wake(delivery);
      },
    };
  };

  /** Of all who store a delivery of an intent, the first does. */
  async #store({ id, owner }: IntentRecord, { url, path }: WebhookWish): Promise<IntentRecord> {
    const { clock, commits } = this.#setup;
    const now = clock.now();
    const { record, events } = createIntent(
      {
        id: this.#ids.next(now),
        operation: WEBHOOK_OPERATION,
        owner,
        deadlineAt: null,
        idempotency: { key: hashParts([WEBHOOK_OPERATION, id]), fingerprint: '' },
        parentIntentId: id,
      },
      now,
      null,
    );
    const input = encodeDelivery({ intentId: id, url, path });
    const stored: Submitted = await commits.submit({
      record,
      events: encodeStored(record.id, events),
      input,
    });
    return stored.outcome === 'exists' ? stored.record : record;
  }

  #wake({ id, status, createdAt }: IntentRecord): void {
    const { clock, signaller, onDue, onError } = this.#setup;
    if (isTerminal(status)) return;
    const now = clock.now();
    onDue(now);
    // One that is older has looked for the end already, and may wait until it is told.
    if (now - createdAt < MOMENT_MS / 2) return;
    const signal = toSignal(ENDED_SIGNAL, null, { key: ENDED_SIGNAL });
    signaller.deliver(id, signal).catch(onError);
  }
}
