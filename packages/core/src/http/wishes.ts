import type { Submission } from '../engine/submitter.ts';
import { laneWish } from '../intents/lane-wish.ts';
import { liveKeyOf } from '../intents/live-key-of.ts';
import { startInstant, startWish } from '../intents/start-at.ts';
import type { ResolvedOperationOptions } from '../options.ts';
import type { Exchange } from './handlers.ts';

/** What an operation's options ask of a request about when, and whether, its intent starts. */
export type Wishes = Pick<Submission, 'startAt' | 'liveKey' | 'key' | 'priority'>;

/** Whether the options ask nothing: then a submit need not wait for answers that are not there. */
export function asksNothing({ start, lanes, dedupe }: ResolvedOperationOptions): boolean {
  return start === null && lanes === null && dedupe === null;
}

/** Asks the operation's functions. Rejects with what they throw, or a `DurableError` for their answer. */
export async function wishesOf<Source>({
  setup,
  request,
  operation,
  owner,
}: Exchange<Source>): Promise<Wishes> {
  const { start, lanes, dedupe } = operation.options;
  const { source } = request;
  const startAt =
    start === null
      ? undefined
      : startInstant(await startWish(start, source), setup.engine.clock.now());
  const lane = lanes === null ? null : await laneWish(lanes, source);
  const liveKey = dedupe === null ? undefined : liveKeyOf(operation, owner, await dedupe(source));
  return {
    ...(startAt !== undefined && { startAt }),
    ...(liveKey !== undefined && { liveKey }),
    ...lane,
  };
}
