import type { Failure, Progress } from '@durable-api/protocol';
import type { StoredResponse } from './intent.ts';

/** Everything that can be asked of an intent that exists. */
export type Command =
  /**
   * An attempt begins under the lease that was just claimed. `attempt` is its ordinal: with it, giving
   * the command again after an answer was lost does not begin another one.
   */
  | { readonly type: 'start'; readonly attempt?: number }
  | { readonly type: 'progress'; readonly progress: Progress }
  | { readonly type: 'complete'; readonly result: StoredResponse }
  /** The attempt failed; `retryAt` is when the next one may start, null when there is none. */
  | { readonly type: 'fail'; readonly failure: Failure; readonly retryAt: number | null }
  /** The lease was lost once too often; the intent is stopped before it takes another process down. */
  | { readonly type: 'giveUp'; readonly failure: Failure }
  /** The deadline has passed. */
  | { readonly type: 'timeOut' }
  /** Somebody wants the intent to end; a running attempt is asked first. */
  | { readonly type: 'requestCancel'; readonly actor?: string; readonly reason?: string }
  /** The attempt has stopped because of a requested cancel. */
  | { readonly type: 'cancel' };

export type CommandType = Command['type'];
