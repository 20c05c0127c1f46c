import { payloadLimitsOf } from '../agents/payload-limits.ts';
import type { Engine } from '../engine/engine.ts';
import type { Operation } from '../engine/operation.ts';
import type { Submission } from '../engine/submitter.ts';
import { DurableError } from '../errors.ts';
import { hashParts } from '../http/fingerprint.ts';
import { encodeInput } from '../http/input.ts';
import type { PayloadLimits } from '../http/payload.ts';
import type { Instant } from '../options.ts';
import { checkOwner } from '../owner.ts';
import type { IntentRecord } from '../state/intent.ts';
import { ownWish, wishFor, type Webhooks } from '../webhooks/webhooks.ts';
import { withWebhook } from '../webhooks/wish.ts';
import { earlierOf } from './earlier.ts';
import { liveKeyOf } from './live-key-of.ts';
import { checkKey, checkPriority, ownPriority } from './lane-wish.ts';
import { ownDelayMs } from './start-at.ts';

/** What an operation is given by a submit from code, as a request would give it. */
export interface IntentInput {
  /** The parsed body: a JSON value, or bytes. */
  readonly body?: unknown;
  /** What the adapter keeps of a request beside its body; a JSON object. Its form is the adapter's. */
  readonly rest?: Readonly<Record<string, unknown>> | undefined;
}

/** How to submit. */
export interface SubmitIntentOptions {
  /** Whose intent it is: what `identify` returns for its owner's requests. Default `''`. */
  readonly owner?: string | undefined;
  /** Names the submit, so that repeating it gives the same intent. */
  readonly idempotencyKey?: string | undefined;
  /**
   * A transaction of your own that the submit shall be a part of: the intent is there when it commits,
   * and never was when it rolls back. The store says what it takes, for instance a client of `pg`.
   */
  readonly transaction?: unknown;
  /**
   * What it is about, as the operation's `dedupe` would say of a request: while another intent of this
   * owner with this key has not ended, no other is made. With `debounceMs`, that is put off instead.
   */
  readonly dedupeKey?: string | undefined;
  /** How long after now it may start at the earliest, in ms. Default: the operation's own, if a number. */
  readonly startAfterMs?: number | undefined;
  /** When it may start at the earliest; wins over `startAfterMs`. Default: at once. */
  readonly startAt?: Instant | undefined;
  /**
   * What the operation's limits and turns go by, 1 to 200 characters: here is no request to ask its `key`
   * about. Default: a key that all submits without one share.
   */
  readonly key?: string | undefined;
  /** Which of several versions of the operation. Default: the one that was declared first. */
  readonly version?: string | number | undefined;
  /** -100 to 100, the higher goes first. Default: the operation's own, if a number. */
  readonly priority?: number | undefined;
  /** Who is told when the intent has ended. Default: the operation's own `webhook`, if a URL. */
  readonly webhookUrl?: string | undefined;
}

/** A stored submit. */
export interface SubmittedIntent {
  readonly record: IntentRecord;
  /** True when an earlier submit had the idempotency key: `record` is what that one stored. */
  readonly isReplayed: boolean;
  /** True when an intent of another submit of the same `dedupeKey` is under way: `record` is that. */
  readonly isDeduplicated: boolean;
}

/** Stores an intent of a submit from code: see `Intents.submit`. */
export async function submitIntent(
  engine: Engine,
  operation: Operation,
  { body, rest = operation.compose({}) }: IntentInput,
  options: SubmitIntentOptions,
  { limits, webhooks }: { readonly limits: PayloadLimits; readonly webhooks: Webhooks | null },
): Promise<SubmittedIntent> {
  const { owner = '', idempotencyKey, transaction, webhookUrl } = options;
  checkOwner(owner);
  const told = wishFor(webhooks, webhookUrl, null) ?? ownWish(operation);
  const encoded = encodeInput(
    { identity: { method: '', url: '' }, body, rest },
    payloadLimitsOf(operation, limits),
  );
  const idempotency =
    idempotencyKey === undefined
      ? null
      : {
          key: hashParts([owner, operation.name, idempotencyKey]),
          fingerprint: hashParts([encoded.json, ...(webhookUrl === undefined ? [] : [webhookUrl])]),
        };
  // An intent is dated by the store's clock, which is known once the store is open.
  await engine.opened();
  const { startAt, startAfterMs = ownDelayMs(operation.options.start) } = options;
  const { priority = ownPriority(operation.options.lanes) } = options;
  const liveKey = liveKeyOf(operation, owner, options.dedupeKey);
  const submission = {
    operation,
    owner,
    idempotency,
    input: withWebhook(encoded.json, told),
    transaction,
    start: { startAt, startAfterMs },
    ...(liveKey !== undefined && { liveKey }),
    ...(options.key !== undefined && { key: checkKey(options.key) }),
    ...(priority !== undefined && { priority: checkPriority(priority) }),
  };
  const { isNew, record } = await store(engine, submission);
  if (isNew) return { record, isReplayed: false, isDeduplicated: false };
  const earlier = earlierOf(record, submission);
  if (earlier === 'reused') throw reused();
  return { record, isReplayed: earlier === 'same', isDeduplicated: earlier === 'alike' };
}

async function store(
  engine: Engine,
  submission: Submission,
): Promise<{ readonly isNew: boolean; readonly record: IntentRecord }> {
  const { operation, liveKey } = submission;
  const { debounce } = operation.options;
  if (debounce !== null && liveKey !== undefined) {
    checkDebounced(submission);
    const { outcome, record } = await engine.submitter.debounce(
      { ...submission, liveKey },
      debounce,
    );
    return { isNew: outcome === 'created', record };
  }
  const submitting = engine.prepare(submission);
  const stored = await submitting.store();
  if (stored.outcome === 'created') return { isNew: true, record: submitting.record };
  return { isNew: false, record: stored.record };
}

/** What is put off says itself when it starts, and may be written again before a transaction ends. */
function checkDebounced({ operation: { name }, transaction, start }: Submission): void {
  if (transaction === undefined && (start?.startAt ?? start?.startAfterMs) === undefined) return;
  const message = `Operation "${name}" has debounceMs, so a submit takes no transaction and no instant to start at.`;
  throw new DurableError('options_invalid', message);
}

function reused(): DurableError {
  const message =
    'This idempotency key belongs to a submit with another input. Use a fresh key for a new submit.';
  return new DurableError('idempotency_key_reused', message);
}
