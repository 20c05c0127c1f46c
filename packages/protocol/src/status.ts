import { z } from 'zod';

/** Every status an intent can have, in the order of a life without detours. */
export const STATUSES = [
  'CREATED',
  'SUBMITTED',
  'DELIVERED',
  'ACKNOWLEDGED',
  'IN_PROGRESS',
  'WAITING',
  'COMPLETED',
  'FAILED',
  'CANCELED',
  'TIMED_OUT',
] as const;

/** The statuses that nothing ever leaves. */
export const TERMINAL_STATUSES = ['COMPLETED', 'FAILED', 'CANCELED', 'TIMED_OUT'] as const;

/** Why an intent is WAITING; every WAITING intent has exactly one. */
export const WAITING_REASONS = [
  'WAITING_FOR_TIME',
  'WAITING_FOR_HUMAN',
  'WAITING_FOR_TOOL',
  'WAITING_FOR_AGENT',
] as const;

/**
 * The codes of the `error` of an intent that waits because no process takes its operation, or its version
 * of that.
 */
export const PARKED_CODES = ['operation_not_declared', 'version_not_declared'] as const;

// Pure, so that bundlers leave zod out where only names of the wire are used.
export const statusSchema = /* @__PURE__ */ z.enum(STATUSES);
export const waitingReasonSchema = /* @__PURE__ */ z.enum(WAITING_REASONS);

export type Status = z.infer<typeof statusSchema>;
export type TerminalStatus = (typeof TERMINAL_STATUSES)[number];
export type WaitingReason = z.infer<typeof waitingReasonSchema>;
export type ParkedCode = (typeof PARKED_CODES)[number];

const terminal: ReadonlySet<string> = new Set(TERMINAL_STATUSES);

/** Tells whether `status` is one that nothing ever leaves. */
export function isTerminal(status: Status): status is TerminalStatus {
  return terminal.has(status);
}
