import type { Engine } from '../engine/engine.ts';
import type { OperationDefinition } from '../engine/operation.ts';
import type { OperationOptions } from '../options.ts';
import { WEBHOOK_OPERATION } from './delivery-input.ts';
import type { ResolvedWebhookOptions } from './webhook-options.ts';
import type { Webhooks } from './webhooks.ts';

/** How much longer an attempt may take than its POST, in ms: for the store, and for an end that is being written. */
const AROUND_MS = 30_000;

/** The operation whose intents are deliveries. What it takes to deliver is loaded with the first of them. */
export function webhookOperation(engine: Engine, webhooks: Webhooks): OperationDefinition {
  return {
    name: WEBHOOK_OPERATION,
    run: async (input, context) => {
      const { deliver } = await import('./deliver.ts');
      return deliver({ engine, webhooks }, input, context);
    },
  };
}

/** The options of that operation. A delivery ends when it is out of attempts; it has no deadline. */
export function webhookOperationOptions(options: ResolvedWebhookOptions): OperationOptions {
  const { retries, backoff, timeoutMs, concurrency } = options;
  return {
    retries,
    backoff: {
      baseMs: backoff?.baseMs ?? 5_000,
      factor: backoff?.factor ?? 4,
      maxMs: backoff?.maxMs ?? 21_600_000,
    },
    timeoutMs: timeoutMs + AROUND_MS,
    deadlineMs: null,
    // So that slow receivers do not take all places of the process.
    concurrency: { perProcess: concurrency },
  };
}
