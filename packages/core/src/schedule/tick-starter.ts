import { DurableError, isDurableError } from '../errors.ts';
import type { Operation } from '../engine/operation.ts';
import type { Submitter } from '../engine/submitter.ts';
import { hashParts } from '../http/fingerprint.ts';
import { encodeInput } from '../http/input.ts';
import type { PayloadLimits } from '../http/payload.ts';
import { ownPriority } from '../intents/lane-wish.ts';
import { ownDelayMs } from '../intents/start-at.ts';
import type { Logger } from '../logger.ts';
import { liveKey } from '../state/live-key.ts';
import type { Schedule } from './schedule.ts';
import { ownWish } from '../webhooks/webhooks.ts';
import { withWebhook } from '../webhooks/wish.ts';
import { withTick } from './stored-tick.ts';

/** What ticks are started with. */
export interface TickStarterSetup {
  readonly submitter: () => Submitter;
  readonly limits: PayloadLimits;
  readonly logger: Logger;
}

/** Makes an intent of a tick. */
export class TickStarter {
  readonly #setup: TickStarterSetup;

  constructor(setup: TickStarterSetup) {
    this.#setup = setup;
  }

  /**
   * Stores the intent of a tick, unless it is there already: the key of its submit is the tick, so it is one,
   * whoever starts it and however often, and whatever the expression was that named the instant.
   */
  async start(operation: Operation, schedule: Schedule, at: number): Promise<void> {
    const { submitter, limits, logger } = this.#setup;
    const { name, owner, overlap } = schedule;
    const tick = { schedule: name, scheduledFor: new Date(at) };
    const body: unknown = await schedule.inputOf(tick);
    const input = encodeTickInput(operation, schedule, body, limits);
    const submitting = submitter().prepare({
      operation,
      owner,
      idempotency: { key: hashParts(['tick', operation.name, name, String(at)]), fingerprint: '' },
      input: withWebhook(withTick(input, tick), ownWish(operation)),
      tick,
      priority: ownPriority(operation.options.lanes) ?? 0,
      start: { startAfterMs: ownDelayMs(operation.options.start) },
      ...(overlap === 'skip' && {
        liveKey: liveKey('end', hashParts(['schedule', operation.name, name])),
      }),
    });
    const stored = await submitting.store();
    if (stored.outcome === 'created' || overlap === 'allow') return;
    const { id: intentId } = stored.record;
    const details = { operation: operation.name, schedule: name, scheduledFor: at, intentId };
    logger.debug(details, 'A tick started no intent: that of a tick is there');
  }
}

/**
 * Checks what the schedules of an operation give to its handler, where that is the same for each tick.
 * @throws DurableError `options_invalid`
 */
export function checkTickInputs(operation: Operation, limits: PayloadLimits): void {
  const { name, options } = operation;
  for (const schedule of options.schedules) {
    if (!schedule.hasFixedInput) continue;
    try {
      const tick = { schedule: schedule.name, scheduledFor: new Date(0) };
      encodeTickInput(operation, schedule, schedule.inputOf(tick), limits);
    } catch (error) {
      if (!isDurableError(error)) throw error;
      const message = `Invalid options of operation "${name}":\n  schedule: its input cannot be stored. ${error.message}`;
      throw new DurableError('options_invalid', message);
    }
  }
}

/**
 * The input of an intent that a schedule starts, as JSON.
 * @throws DurableError with the code of what is wrong with the payload
 */
function encodeTickInput(
  operation: Operation,
  { parts }: Schedule,
  body: unknown,
  limits: PayloadLimits,
): string {
  const identity = { method: '', url: '' };
  return encodeInput({ identity, body, rest: operation.compose(parts) }, limits).json;
}
