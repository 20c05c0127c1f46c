import { invalid } from '../answer.ts';
import type { DurableClientError } from '../errors.ts';
import { newStreamState, streamEvents } from '../event-stream.ts';
import type { ResolvedClientOptions } from '../options.ts';
import { Reconnecting } from '../reconnecting.ts';
import type { Guard } from '../wire.ts';

/** The longest time that a gateway holds a stream for something to send. */
const MAX_WAIT_SECONDS = 60;

/** A stream of a gateway, which ends after each batch and is opened again. */
export interface FollowRequest<T> {
  readonly url: string;
  /** The last cursor that is known. */
  readonly after: number;
  readonly is: Guard<T>;
  readonly signal: AbortSignal | undefined;
  /** Asked when there was nothing to send: whether there never will be. */
  readonly isOver?: (after: number) => Promise<boolean>;
}

/**
 * What a stream of a gateway brings after the cursor, over any number of connections, for as long as it takes.
 * @throws DurableClientError when the gateway refuses.
 */
export async function* follow<T extends { readonly seq: number }>(
  options: ResolvedClientOptions,
  { url, after, is, signal, isOver }: FollowRequest<T>,
): AsyncGenerator<T, void, undefined> {
  const seconds = Math.min(Math.max(Math.floor(options.heartbeatMs / 1_000), 1), MAX_WAIT_SECONDS);
  // A gateway says nothing while it waits, and is given as long again to say that it has waited.
  const patient = { ...options, heartbeatMs: Math.max(options.heartbeatMs, seconds * 1_000) };
  const reconnecting = new Reconnecting(options, signal);
  let since = after;
  for (;;) {
    const state = newStreamState();
    const openedAt = performance.now();
    let error: DurableClientError | null = null;
    let count = 0;
    try {
      const stream = {
        url: `${url}?since=${since}&wait_seconds=${seconds}`,
        is,
        quietName: 'stream.timeout',
        signal,
      };
      for await (const item of streamEvents(patient, stream, state)) {
        since = item.seq;
        count += 1;
        reconnecting.progressed();
        yield item;
      }
      if (state.isRefused) throw invalid({ url, status: 200 }, 'it is no event stream');
      if (count === 0 && (await isOver?.(since)) === true) return;
      reconnecting.understood();
    } catch (thrown) {
      error = reconnecting.transient(thrown);
    }
    // Who ends at once and empty would be asked without a pause.
    const hasWaited = state.isQuiet && performance.now() - openedAt > seconds * 500;
    if (error === null && (count > 0 || hasWaited)) reconnecting.answered();
    else await reconnecting.pause(url, { error, pauseMs: state.retryMs });
  }
}
