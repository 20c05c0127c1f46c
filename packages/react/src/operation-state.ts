import { progressOf, type Progress, type Status, type WireEvent } from '@durable-api/client';

/** What is known of an operation. */
export interface OperationState<R> {
  /** Null before the first submit. */
  readonly status: Status | null;
  /** How far the handler has come, as it said last; null before it says anything. */
  readonly progress: Progress | null;
  /** All events so far, in order. */
  readonly events: readonly WireEvent[];
  /** What the handler answered, once the status is COMPLETED. */
  readonly result: R | undefined;
  /** Why there will be no result, or what went wrong in asking. */
  readonly error: Error | null;
}

/** What can happen to an {@link OperationState}. */
export type OperationAction<R> =
  | { readonly type: 'began'; readonly status: Status | null }
  | { readonly type: 'happened'; readonly events: readonly WireEvent[] }
  | { readonly type: 'resulted'; readonly result: R }
  | { readonly type: 'failed'; readonly error: Error };

/** The state before anything has happened. */
export function initialState<R>(): OperationState<R> {
  return { status: null, progress: null, events: [], result: undefined, error: null };
}

/** What `action` makes of `state`. Pure. */
export function nextState<R>(
  state: OperationState<R>,
  action: OperationAction<R>,
): OperationState<R> {
  switch (action.type) {
    case 'began':
      return { ...initialState<R>(), status: action.status };
    case 'happened': {
      const progress = action.events.map(progressOf).findLast((one) => one !== null);
      return {
        ...state,
        status: action.events.at(-1)?.status ?? state.status,
        progress: progress ?? state.progress,
        events: [...state.events, ...action.events],
      };
    }
    case 'resulted':
      return { ...state, result: action.result };
    case 'failed':
      return { ...state, error: action.error };
  }
}
