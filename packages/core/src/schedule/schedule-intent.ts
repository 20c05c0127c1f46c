import { FOREVER_AT } from '@durable-api/protocol';
import { encodeStored } from '../engine/encode-stored.ts';
import type { Ledger } from '../ledger/ledger.ts';
import type { Command } from '../state/command.ts';
import type { IntentRecord } from '../state/intent.ts';
import { freedLiveKey, liveKey } from '../state/live-key.ts';
import { createIntent } from '../state/submit.ts';
import { transition } from '../state/transition.ts';

/** What the library keeps of schedules: an intent that waits, and is put off each time that it is due. */
export interface KeptIntent {
  /** Which of them: no two that have not ended have it. */
  readonly operation: string;
  /** Default: a new one. */
  readonly id?: string;
  /** What it has to remember. */
  readonly content: unknown;
  /** When it is due; null for never. */
  readonly dueAt: number | null;
}

/** Stores one, or finds the one that is there. */
export async function keep(
  ledger: Ledger,
  { operation, id = ledger.newId(), content, dueAt }: KeptIntent,
): Promise<{ readonly record: IntentRecord; readonly isNew: boolean }> {
  const now = ledger.now();
  const { record, events } = createIntent(
    {
      id,
      operation,
      owner: '',
      deadlineAt: null,
      idempotency: null,
      // Given up by a start, which comes before the end: so its successor is there before it ends.
      liveKey: liveKey('start', operation),
      startAt: dueAt ?? FOREVER_AT,
    },
    now,
    null,
  );
  const stored = { record, events: encodeStored(id, events), input: encodeContent(content) };
  const outcome = await ledger.submit(stored);
  return outcome.outcome === 'created'
    ? { record, isNew: true }
    : { record: outcome.record, isNew: false };
}

/** A change of one: as it was read, what is to be done, and what it has to remember from now on. */
export interface KeptChange {
  readonly record: IntentRecord;
  readonly command: Command;
  /** Whether it is by who has claimed it. */
  readonly isHeld: boolean;
  readonly content?: unknown;
}

/** Writes a change; null when somebody else has changed it since it was read. */
export async function change(
  ledger: Ledger,
  { record, command, isHeld, content }: KeptChange,
): Promise<IntentRecord | null> {
  const next = transition(record, command, ledger.now());
  if (!next.ok) return null;
  const freesLiveKey = freedLiveKey(record, next.record);
  const outcome = await ledger.commit({
    expected: { seq: record.seq, lease: isHeld ? record.lease : null },
    record: next.record,
    events: encodeStored(record.id, next.events),
    ...(content !== undefined && { input: encodeContent(content) }),
    ...(freesLiveKey !== undefined && { freesLiveKey }),
    ...(command.type === 'complete' && { result: command.result }),
  });
  return outcome.outcome === 'ok' ? next.record : null;
}

/** What one remembers, of its input. */
export function contentOf(input: string | undefined): unknown {
  const parsed: unknown = JSON.parse(input ?? '{}');
  return typeof parsed === 'object' && parsed !== null && 'body' in parsed ? parsed.body : null;
}

function encodeContent(content: unknown): string {
  return JSON.stringify({ body: content, rest: {} });
}
