import { entryOf } from '../storage/endless-intent.ts';
import { isObject, type JsonObject } from '../http/json.ts';

/** One intent in a mailbox. */
export interface MailboxEntry {
  /** Its place in the mailbox, for good: even, rising, the same in all processes. */
  readonly cursor: number;
  readonly intentId: string;
  /** Which delivery it is, from 1. */
  readonly attempt: number;
}

/** How the entry is stored; its cursor follows from where. */
export function encodeEntry({ intentId, attempt }: Omit<MailboxEntry, 'cursor'>): JsonObject {
  return { intent_id: intentId, attempt };
}

/** The entry that a stored event is; null for one that is none. */
export function decodeEntry(json: string, cursor: number): MailboxEntry | null {
  const entry = entryOf(json);
  return entry === null ? null : toEntry({ ...entry.details, cursor });
}

/** The entries of an earlier part of the mailbox that its next part begins with. */
export function carriedEntries(value: unknown): MailboxEntry[] {
  if (!Array.isArray(value)) return [];
  return value.flatMap((one: unknown) => (isObject(one) ? (toEntry(one) ?? []) : []));
}

/** In the form that {@link carriedEntries} reads. */
export function encodeCarried({ cursor, intentId, attempt }: MailboxEntry): JsonObject {
  return { cursor, intent_id: intentId, attempt };
}

/** One entry for each intent: its latest, in the order of their cursors. */
export function latestOfEach(entries: readonly MailboxEntry[]): MailboxEntry[] {
  const latest = new Map<string, MailboxEntry>();
  for (const entry of entries) {
    latest.delete(entry.intentId);
    latest.set(entry.intentId, entry);
  }
  return [...latest.values()];
}

function toEntry({ cursor, intent_id: intentId, attempt }: JsonObject): MailboxEntry | null {
  if (typeof cursor !== 'number' || typeof intentId !== 'string') return null;
  return { cursor, intentId, attempt: typeof attempt === 'number' ? attempt : 1 };
}
