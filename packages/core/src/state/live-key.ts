import { isTerminal } from '@durable-api/protocol';
import type { IntentRecord } from './intent.ts';

/** Until when an intent keeps its live key: the next submit with the key is then an intent of its own. */
export type LiveUntil = 'start' | 'end';

const FREED_BY_START = 'start:';

/** The live key of what `hash` stands for. */
export function liveKey(until: LiveUntil, hash: string): string {
  return `${until}:${hash}`;
}

/** Whether an intent gives its live key up when its first attempt starts, and not only when it ends. */
export function isFreedByStart({ liveKey: key }: Pick<IntentRecord, 'liveKey'>): boolean {
  return key !== undefined && key.startsWith(FREED_BY_START);
}

/** The live key that an intent gives up by a change; undefined for none. */
export function freedLiveKey(before: IntentRecord, after: IntentRecord): string | undefined {
  const isKept = before.liveKey === after.liveKey && !isTerminal(after.status);
  return isKept ? undefined : before.liveKey;
}
