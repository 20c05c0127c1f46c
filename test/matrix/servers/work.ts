import { setTimeout as delay } from 'node:timers/promises';
import type { AttemptContext } from '@durable-api/core';

/** What the operation of all servers is sent: how long it works. */
export interface Work {
  readonly ms: number;
}

/** Works with progress until it is done or told to stop, and says which attempt it was. */
export async function work({ ms }: Work, context: AttemptContext): Promise<object> {
  const { attempt, progress, signal } = context;
  for (let step = 1; step <= 10; step++) {
    await delay(ms / 10, undefined, { signal });
    progress(step / 10);
  }
  return { attempt };
}
