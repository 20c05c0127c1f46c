import { z } from 'zod';
import { linksSchema, type Links } from './links.ts';
import { encodeSnapshot, snapshotSchema, type SnapshotSource } from './snapshot.ts';
import { TERMINAL_STATUSES, type TerminalStatus } from './status.ts';

/** The types of webhooks, after the events that they tell of. */
export const WEBHOOK_TYPES = [
  'intent.completed',
  'intent.failed',
  'intent.canceled',
  'intent.timed_out',
] as const;

export type WebhookType = (typeof WEBHOOK_TYPES)[number];

/**
 * The body of a webhook, as Standard Webhooks have it: what happened, when, and the snapshot of the intent at
 * its end. `links` are there when the intent came by HTTP; `status_code`, `content_type` and `result` are those
 * of `intent.completed`.
 */
export const webhookSchema = z.object({
  type: z.enum(WEBHOOK_TYPES),
  timestamp: z.iso.datetime(),
  data: snapshotSchema.extend({
    status: z.enum(TERMINAL_STATUSES),
    links: linksSchema.optional(),
    status_code: z.int().optional(),
    content_type: z.string().optional(),
    result: z.unknown().optional(),
  }),
});

export type WireWebhook = z.infer<typeof webhookSchema>;

const TYPE_OF: Readonly<Record<TerminalStatus, WebhookType>> = {
  COMPLETED: 'intent.completed',
  FAILED: 'intent.failed',
  CANCELED: 'intent.canceled',
  TIMED_OUT: 'intent.timed_out',
};

/** What {@link encodeWebhook} reads of an intent that has ended. */
export type EndedSource = SnapshotSource & { readonly status: TerminalStatus };

/**
 * Maps the end of an intent to the body of its webhook. `links` is null where its path is not known; `details`
 * are those of its last event, in wire keys.
 */
export function encodeWebhook(
  source: EndedSource,
  links: Links | null,
  details: Readonly<Record<string, unknown>> = {},
): WireWebhook {
  const { status } = source;
  const { links: own, ...snapshot } = encodeSnapshot(source, links ?? NO_LINKS);
  return {
    type: TYPE_OF[status],
    timestamp: snapshot.updated_at,
    data: { ...snapshot, status, ...(links !== null && { links: own }), ...details },
  };
}

const NO_LINKS: Links = { self: '', events: '', result: '', cancel: '' };
