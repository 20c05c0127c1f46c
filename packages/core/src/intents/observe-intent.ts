import { eventSchema, isTerminal, type WireEvent } from '@durable-api/protocol';
import { keepAlive } from '../clock.ts';
import type { Engine } from '../engine/engine.ts';
import { DurableError } from '../errors.ts';
import type { IntentRecord } from '../state/intent.ts';

/** How many events one read takes. */
const PAGE = 256;

/** What {@link observeIntent} follows, and from where. */
export interface IntentObservation {
  readonly record: IntentRecord;
  /** The last seq that is known already; 0 begins with the first event. */
  readonly after: number;
  readonly signal: AbortSignal | undefined;
  /** Longest pause between two looks at the store, in ms: what a lost wake-up costs. */
  readonly lookMs: number;
}

/**
 * The events of an intent, as they happen, up to its end. Rejects with the signal's reason when that
 * is aborted, and with a DurableError `stopping` when the durable API stops first.
 */
export async function* observeIntent(
  engine: Engine,
  { record, after, signal, lookMs }: IntentObservation,
): AsyncGenerator<WireEvent, void, undefined> {
  let known = record;
  let cursor = after;
  for (;;) {
    signal?.throwIfAborted();
    if (cursor < known.seq) {
      const events = await engine.events(known.id, cursor, PAGE);
      for (const json of events) {
        signal?.throwIfAborted();
        const event = eventSchema.parse(JSON.parse(json));
        cursor = event.seq;
        yield event;
        // Read after the record, the events may be ahead of it.
        if (isTerminal(event.status)) return;
      }
      if (events.length > 0) continue;
    } else if (isTerminal(known.status)) return;
    const changed = await nextChange(engine, known, cursor, signal, lookMs);
    if (changed === undefined) throw gone();
    known = changed;
  }
}

/** The record once it is beyond `cursor`, or as it is after `lookMs`; undefined when it was removed. */
async function nextChange(
  engine: Engine,
  record: IntentRecord,
  cursor: number,
  signal: AbortSignal | undefined,
  lookMs: number,
): Promise<IntentRecord | undefined> {
  const wait = engine.hub.waitFor({
    record,
    timeoutMs: lookMs,
    enough: (change) => change.record.seq > cursor,
  });
  const leave = (): void => wait.cancel();
  signal?.addEventListener('abort', leave, { once: true });
  // Nothing else may keep the process alive: the work may be another one's, or wait for a time.
  const change = await keepAlive(wait.change);
  signal?.removeEventListener('abort', leave);
  if (change !== null) return change.record;
  signal?.throwIfAborted();
  return (await engine.find(record.id))?.record;
}

function gone(): DurableError {
  return new DurableError('intent_not_found', 'The intent was removed while it was observed.');
}
