import {
  DurableClientError,
  type InputOf,
  type Operation,
  type ResultOf,
  type SubmitOptions,
} from '@durable-api/client';
import { useCallback, useEffect, useReducer, useRef, useState } from 'react';
import { useDurableClient } from './client-context.ts';
import { asError, follow } from './follow.ts';
import {
  initialState,
  nextState,
  type OperationAction,
  type OperationState,
} from './operation-state.ts';

/** What {@link useOperation} returns. */
export interface OperationView<T, R> extends OperationState<R> {
  /** The handle of what is shown; null before the first submit. */
  readonly operation: Operation<R> | null;
  /** Whether a submit is under way, whose answer is not there yet. */
  readonly isSubmitting: boolean;
  /**
   * Submits to the path and shows what happens. What was shown before goes on, unseen. Never rejects:
   * resolves to null when it failed, and `error` says why.
   */
  readonly submit: (body: InputOf<T>, options?: SubmitOptions<R>) => Promise<Operation<R> | null>;
  /** Asks what is shown to stop. Never rejects; `error` says why it could not be asked. */
  readonly cancel: () => Promise<void>;
}

/**
 * Shows an operation as it happens. `target` is a handle, or the path of an operation to submit to,
 * which needs a `DurableProvider` above. Handles of one URL are one: it may be a new one at each render.
 */
export function useOperation<T = unknown, R = ResultOf<T>>(
  target: Operation<R> | string,
): OperationView<T, R> {
  const client = useDurableClient();
  const [submitted, setSubmitted] = useState<Operation<R> | null>(null);
  const [isSubmitting, setSubmitting] = useState(false);
  const [state, report] = useReducer(nextState<R>, undefined, initialState<R>);
  const latest = useRef(0);
  const path = typeof target === 'string' ? target : null;
  const operation = typeof target === 'string' ? submitted : target;
  const operationRef = useRef(operation);
  const following = useRef<AbortController | null>(null);
  useEffect(() => {
    operationRef.current = operation;
  });

  const url = operation?.url;
  useEffect(() => {
    const current = operationRef.current;
    if (url === undefined || current === null) return;
    const abort = new AbortController();
    following.current = abort;
    report({ type: 'began', status: null });
    void follow(current, report, abort.signal);
    return () => abort.abort();
  }, [url]);

  const submit = useCallback<OperationView<T, R>['submit']>(
    async (body, options) => {
      if (path === null) {
        report(failed(new TypeError('useOperation(handle) shows one; give it a path to submit.')));
        return null;
      }
      latest.current += 1;
      const mine = latest.current;
      // At once, not with the next render: what it brings until then would be taken for the new one's.
      following.current?.abort();
      setSubmitting(true);
      setSubmitted(null);
      report({ type: 'began', status: null });
      try {
        const handle = await submitTo<T, R>(client, path, body, options);
        if (mine === latest.current) setSubmitted(handle);
        return handle;
      } catch (error) {
        if (mine === latest.current) report(failed(error));
        return null;
      } finally {
        if (mine === latest.current) setSubmitting(false);
      }
    },
    [client, path],
  );

  const cancel = useCallback(async () => {
    try {
      await operationRef.current?.cancel();
    } catch (error) {
      // It has ended meanwhile; its last event says how.
      if (error instanceof DurableClientError && error.code === 'intent_terminal') return;
      report(failed(error));
    }
  }, []);

  return { ...state, operation, isSubmitting, submit, cancel };
}

function submitTo<T, R>(
  client: ReturnType<typeof useDurableClient>,
  path: string,
  body: InputOf<T>,
  options: SubmitOptions<R> | undefined,
): Promise<Operation<R>> {
  if (client === null)
    throw new TypeError('useOperation(path) needs a <DurableProvider> above it.');
  return client.submit<T, R>(path, body, options);
}

function failed(error: unknown): OperationAction<never> {
  return { type: 'failed', error: asError(error) };
}
