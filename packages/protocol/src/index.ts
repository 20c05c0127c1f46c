export {
  PARKED_CODES,
  STATUSES,
  TERMINAL_STATUSES,
  WAITING_REASONS,
  isTerminal,
  statusSchema,
  waitingReasonSchema,
} from './status.ts';
export type { ParkedCode, Status, TerminalStatus, WaitingReason } from './status.ts';
export { EVENT_TYPES, encodeEvent, eventListSchema, eventSchema } from './event.ts';
export type { EventType, IntentEvent, WireEvent, WireEventList } from './event.ts';
export { intentLinks, linksSchema } from './links.ts';
export type { Links } from './links.ts';
export { failureSchema } from './failure.ts';
export type { Failure } from './failure.ts';
export { progressSchema } from './progress.ts';
export type { Progress } from './progress.ts';
export { encodeSnapshot, FOREVER_AT, snapshotSchema } from './snapshot.ts';
export type { SnapshotSource, WireSnapshot } from './snapshot.ts';
export { encodeSubmitted, submittedSchema } from './submitted.ts';
export type { WireSubmitted } from './submitted.ts';
export { ticketSchema } from './ticket.ts';
export type { WireTicket } from './ticket.ts';
export { HEADERS, MEDIA_TYPES } from './headers.ts';
export { PROBLEMS, encodeProblem, problemSchema } from './problem.ts';
export type { ProblemCode, ProblemSource, WireProblem } from './problem.ts';
export { wireJsonSchemas } from './json-schemas.ts';
export type { WireJsonSchema, WireJsonSchemas } from './json-schemas.ts';
export { encodeWebhook, WEBHOOK_TYPES, webhookSchema } from './webhook.ts';
export type { EndedSource, WebhookType, WireWebhook } from './webhook.ts';
export { signaledSchema } from './signaled.ts';
export type { WireSignaled } from './signaled.ts';
