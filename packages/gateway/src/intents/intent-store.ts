import {
  createIntent,
  type Found,
  type Idempotency,
  type IntentRecord,
  type Ledger,
  type Note,
  type StoredEvent,
  type StoredResponse,
} from '@durable-api/core';
import { isTerminal } from '@durable-api/protocol';
import { AxpError, intentNotFound } from '../http/errors.ts';
import { isObject } from '../http/json.ts';
import { dueAtOf, type Draft, type IntentChange } from '../lifecycle/draft.ts';
import { isEnvelope, type Envelope, type LocalOperation } from './envelope.ts';
import { answerNote, initialState, readNotes, stateNote, type AxpIntent } from './intent-state.ts';
import { openIntent } from '../lifecycle/open-intent.ts';

/** The operation of all intents of the gateway. */
export const INTENT = 'axp.intent';
/** An intent id in the form that stores have. */
const ID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;
/** How often a change is computed anew because others were faster. */
const MAX_TRIES = 50;

/** An intent that was stored, or was there. */
export interface Created {
  readonly record: IntentRecord;
  /** As it is stored, of one that is new. */
  readonly envelope: Envelope;
  readonly isNew: boolean;
}

/** A change that was written. */
export interface Changed {
  readonly intent: AxpIntent;
  readonly change: IntentChange;
}

/** How an answer to an idempotent call is kept with the change that it is about. */
export interface KeptAnswer {
  readonly key: string;
  readonly encode: (changed: Changed) => string;
}

/** Who is told of what is written here; they are waited for, and their failures are logged. */
export interface IntentHooks {
  readonly onWritten: (intent: AxpIntent, events: readonly StoredEvent[]) => Promise<void>;
  /** What this cannot do is done when it is due. */
  readonly onEnded: (intent: AxpIntent) => Promise<void>;
}

/** Reads and writes the gateway's intents. */
export class IntentStore {
  readonly ledger: Ledger;
  readonly #recipients: ReadonlyMap<string, LocalOperation>;
  readonly #hooks: IntentHooks;

  /** `recipients` are the operations that work on what is sent to these addresses, by the keys of those. */
  constructor(ledger: Ledger, recipients: ReadonlyMap<string, LocalOperation>, hooks: IntentHooks) {
    this.ledger = ledger;
    this.#recipients = recipients;
    this.#hooks = hooks;
  }

  /** Stores an intent, or finds the one that has its idempotency key; `isNew` tells which. */
  async create(
    given: Envelope,
    options: {
      readonly id?: string;
      readonly deadlineAt: number | null;
      readonly idempotency: Idempotency | null;
      /** The intent of an operation that waits for its end. */
      readonly parentIntentId?: string;
    },
  ): Promise<Created> {
    const { ledger } = this;
    const envelope = this.#addressed(given);
    const now = ledger.now();
    const { id = ledger.newId(), ...rest } = options;
    const { record, events } = createIntent(
      { ...rest, id, operation: INTENT, owner: envelope.to },
      now,
      null,
    );
    const state = initialState(envelope, now);
    const opened = openIntent({ record, state }, events, envelope);
    const due = { ...opened.record, dueAt: dueAtOf(opened.record, opened.state) };
    const input = JSON.stringify({ body: envelope, rest: {} });
    const outcome = await ledger.submit({ record: due, events: opened.events, input });
    if (outcome.outcome === 'exists') return { record: outcome.record, envelope, isNew: false };
    const intent = { record: due, envelope, state: opened.state, answers: new Map() };
    await this.#tell(intent, opened.events);
    return { record: due, envelope, isNew: true };
  }

  /** Says which operation works on it, if one has its address. */
  #addressed(envelope: Envelope): Envelope {
    const isForSomebody = envelope.humanTask === null && envelope.scenario === null;
    const operation = isForSomebody ? (this.#recipients.get(envelope.to) ?? null) : null;
    return { ...envelope, operation };
  }

  /** One entry per id; null where the gateway has no such intent. */
  async find(ids: readonly string[]): Promise<(AxpIntent | null)[]> {
    const known = ids.map((id) => (ID.test(id) ? id : NO_ID));
    const [withInput, withNotes] = await Promise.all([
      this.ledger.get({ ids: known, include: 'input' }),
      this.ledger.get({ ids: known, include: 'notes' }),
    ]);
    return known.map((_, i) => toIntent(withInput[i], withNotes[i]));
  }

  /** @throws AxpError 404 */
  async get(id: string): Promise<AxpIntent> {
    const [intent] = await this.find([id]);
    if (intent === null || intent === undefined) throw intentNotFound(id);
    return intent;
  }

  /**
   * Changes an intent: `change` makes a draft of it as it is, and is called again when somebody else was
   * faster. Null when the draft comes to nothing. `more` is remembered with it.
   */
  async change(
    from: AxpIntent,
    change: (intent: AxpIntent) => Draft | null,
    kept?: KeptAnswer,
    more: readonly Note[] = [],
  ): Promise<Changed | null> {
    let intent = from;
    for (let tries = 0; tries < MAX_TRIES; tries += 1) {
      const made = change(intent)?.done() ?? null;
      if (made === null) return null;
      const changed = {
        intent: { ...intent, record: made.record, state: made.state },
        change: made,
      };
      const notes = [stateNote(made.state), ...more];
      if (kept !== undefined) notes.push(answerNote(kept.key, kept.encode(changed)));
      const outcome = await this.ledger.commit({
        expected: { seq: intent.record.seq, lease: null },
        record: made.record,
        events: made.events,
        notes,
        ...resultOf(made),
      });
      if (outcome.outcome === 'ok') {
        await this.#tell(changed.intent, made.events);
        return changed;
      }
      intent = await this.get(from.record.id);
    }
    throw new AxpError(503, 'overloaded', 'Too many change this intent at once; try again.');
  }

  async #tell(intent: AxpIntent, events: readonly StoredEvent[]): Promise<void> {
    try {
      await this.#hooks.onWritten(intent, events);
      if (isTerminal(intent.record.status)) await this.#hooks.onEnded(intent);
    } catch (error) {
      const intentId = intent.record.id;
      this.ledger.logger.warn({ err: error, intentId }, 'Who waits for an intent was not told yet');
    }
  }
}

/** What an operation that waits for the intent is given: what COMPLETED has a result as operations have. */
function resultOf({ record, state }: IntentChange): { result?: StoredResponse } {
  if (record.parentIntentId === undefined || record.status !== 'COMPLETED') return {};
  const body = Buffer.from(JSON.stringify(state.outcome?.result ?? {}));
  return { result: { status: 200, headers: { 'content-type': 'application/json' }, body } };
}

/** The id of no intent. */
const NO_ID = '00000000-0000-0000-0000-000000000000';

function toIntent(withInput: Found | undefined, withNotes: Found | undefined): AxpIntent | null {
  if (withInput?.record.operation !== INTENT || withNotes === undefined) return null;
  const input: unknown = JSON.parse(withInput.input ?? 'null');
  const envelope: unknown = isObject(input) ? input['body'] : null;
  if (!isEnvelope(envelope)) return null;
  // Of the two reads the one with the notes counts, since they must fit the record.
  const { record, notes = [] } = withNotes;
  return { record, envelope, ...readNotes(envelope, record.createdAt, notes) };
}

/** @throws AxpError 409 for an intent that has ended. */
export function refuseEnded({ record }: AxpIntent): void {
  if (!isTerminal(record.status)) return;
  const message = `intent ${record.id} has ended as ${record.status}`;
  throw new AxpError(409, 'intent_terminal', message, { details: { status: record.status } });
}
