import type {
  Failure,
  ParkedCode,
  Progress,
  TerminalStatus,
  WaitingReason,
} from '@durable-api/protocol';
import type { Note } from '../store/store.ts';
import type { StoredResponse } from './intent.ts';

/** Everything that can be asked of an intent that exists. */
export type Command =
  /**
   * An attempt begins under the lease that was just claimed. `attempt` is its ordinal: with it, giving
   * the command again after an answer was lost does not begin another one.
   */
  | { readonly type: 'start'; readonly attempt?: number }
  /** The start is put off, since another input has taken the place of the intent's. */
  | { readonly type: 'postpone'; readonly startAt: number }
  | { readonly type: 'progress'; readonly progress: Progress }
  /** The handler has got on and remembers it: a step, a child, or that a signal was not what it takes. */
  | {
      readonly type: 'remember';
      readonly event: 'intent.step' | 'intent.signal' | 'intent.child_started';
      readonly details: Readonly<Record<string, unknown>>;
      readonly notes: readonly Note[];
    }
  /** Nobody takes what is due: it is shown to wait, and stays as due as it is. */
  | {
      readonly type: 'park';
      /** The seq and the lease at which that was found. */
      readonly seq: number;
      readonly lease: number;
      readonly failure: Failure & { readonly code: ParkedCode };
      /** Whether observers have seen output of a lost attempt, which does not count then. */
      readonly resetsOutput?: boolean;
      readonly notes?: readonly Note[];
    }
  /** The handler has put something out, or what it has put out before does not count. */
  | {
      readonly type: 'output';
      readonly details: Readonly<Record<string, unknown>>;
      readonly notes: readonly Note[];
    }
  /** The handler waits, and gives up its place until `resumeAt`. */
  | {
      readonly type: 'suspend';
      readonly reason: WaitingReason;
      readonly resumeAt: number;
      /** The seq up to which signals were looked for: with a later one the handler must look again. */
      readonly seq: number | null;
      readonly hasChildren?: boolean;
      readonly details: Readonly<Record<string, unknown>>;
      readonly notes: readonly Note[];
    }
  /** A signal has come; `wakes` when the handler waits for one of its name. */
  | {
      readonly type: 'signal';
      readonly wakes: boolean;
      readonly actor?: string | undefined;
      readonly details: Readonly<Record<string, unknown>>;
    }
  /** Children have ended; `wakeAt` is when the handler shall hear of it that waits for one of them. */
  | {
      readonly type: 'childrenEnded';
      /** The seq up to which it was looked for what is known of them already. */
      readonly seq: number;
      readonly ends: readonly {
        readonly id: string;
        readonly operation: string;
        readonly status: TerminalStatus | 'GONE';
      }[];
      readonly wakeAt: number | null;
      /** Whether it has no handler, and is looked at now by whoever drives it. */
      readonly isDriven?: boolean;
      readonly notes: readonly Note[];
    }
  /** Who is waited for is reminded, or somebody else is told; the handler goes on waiting. */
  | {
      readonly type: 'remind';
      /** The seq up to which signals were looked for. */
      readonly seq: number;
      readonly events: readonly {
        readonly type: 'intent.reminder' | 'intent.escalated' | 'intent.waiting';
        readonly details: Readonly<Record<string, unknown>>;
      }[];
      readonly resumeAt: number;
      readonly notes: readonly Note[];
    }
  /**
   * `hasChildren` here and in others: a cancel that was requested does not end the intent in place of this
   * command, since its children have to be told first.
   */
  | {
      readonly type: 'complete';
      readonly result: StoredResponse;
      readonly hasChildren?: boolean;
    }
  /** The attempt failed; `retryAfterMs` is how long the next one waits, null when there is none. */
  | {
      readonly type: 'fail';
      readonly failure: Failure;
      readonly retryAfterMs: number | null;
      /** Whether observers have seen output of the attempt, which does not count then. */
      readonly resetsOutput?: boolean;
      readonly hasChildren?: boolean;
      readonly notes?: readonly Note[];
    }
  /** The lease was lost once too often; the intent is stopped before it takes another process down. */
  | { readonly type: 'giveUp'; readonly failure: Failure }
  /** The deadline has passed. */
  | { readonly type: 'timeOut' }
  /** Somebody wants the intent to end; a running attempt is asked first. */
  | {
      readonly type: 'requestCancel';
      readonly actor?: string;
      readonly reason?: string;
      /** The seq at which the intent had no children that go on. */
      readonly seq?: number;
      /** It has children, which are told first; if that takes longer than this, somebody else does it. */
      readonly windDownMs?: number;
    }
  /** The attempt has stopped because of a requested cancel, or its work was canceled elsewhere: `reason`. */
  | { readonly type: 'cancel'; readonly reason?: string };

export type CommandType = Command['type'];
