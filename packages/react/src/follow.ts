import type { Operation, WireEvent } from '@durable-api/client';
import type { OperationAction } from './operation-state.ts';

/**
 * Reports what happens to an operation and what comes of it, until it ends or `signal` is aborted.
 * Events that arrive together are reported together, so that a long replay renders once.
 */
export async function follow<R>(
  operation: Operation<R>,
  report: (action: OperationAction<R>) => void,
  signal: AbortSignal,
): Promise<void> {
  let gathered: WireEvent[] = [];
  const flush = (): void => {
    if (gathered.length === 0 || signal.aborted) return;
    report({ type: 'happened', events: gathered });
    gathered = [];
  };
  try {
    for await (const event of operation.observe({ signal })) {
      if (gathered.length === 0) setTimeout(flush);
      gathered.push(event);
    }
    flush();
    const result = await operation.result({ signal });
    if (!signal.aborted) report({ type: 'resulted', result });
  } catch (error) {
    flush();
    if (!signal.aborted) report({ type: 'failed', error: asError(error) });
  }
}

/** What was thrown, as an `Error`. */
export function asError(thrown: unknown): Error {
  return thrown instanceof Error ? thrown : new Error(String(thrown), { cause: thrown });
}
