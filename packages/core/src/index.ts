export { DurableError, NonRetryableError, RetryAfterError, isDurableError } from './errors.ts';
export type { DurableErrorOptions } from './errors.ts';
export { HandlerFault, resultTooLarge } from './handler-fault.ts';
export type { HandlerFaultCode } from './handler-fault.ts';
export { systemClock } from './clock.ts';
export type { Clock, Timer } from './clock.ts';
export type { Idempotency, IntentRecord, StoredResponse } from './state/intent.ts';
export type { Command, CommandType } from './state/command.ts';
export { NEXT_STATUSES, transition } from './state/transition.ts';
export type { Transition } from './state/transition.ts';
export { createIntent } from './state/submit.ts';
export type { EagerLease, NewIntent } from './state/submit.ts';
export { memoryData, memoryStore } from './store/memory-store.ts';
export type { MemoryData } from './store/memory-store.ts';
export { leaseDueAt } from './store/lease-due.ts';
export type {
  ClaimRequest,
  ClaimResult,
  Claimed,
  CommitRequest,
  CommitResult,
  EventsRequest,
  Found,
  GetRequest,
  ListRequest,
  PruneRequest,
  RenewRequest,
  RenewResult,
  Store,
  StoreCapabilities,
  StoredEvent,
  StoreStats,
  SubmitRequest,
  SubmitResult,
  WatchHint,
  WriteFailed,
} from './store/store.ts';
export { silentLogger } from './logger.ts';
export type { Logger } from './logger.ts';
export type {
  BackoffOptions,
  DurableApiOptions,
  LimitOptions,
  ObserveOptions,
  OperationOptions,
  ResolvedOperationOptions,
  RetentionOptions,
  TicketOptions,
} from './options.ts';
export { AttemptAborted } from './engine/operation.ts';
export type {
  AbortCause,
  AttemptContext,
  Operation,
  OperationDefinition,
} from './engine/operation.ts';
export { DURABLE_CONTEXT, durable } from './durable-context.ts';
export { DurableApi } from './durable-api.ts';
export { Intents } from './intents/intents.ts';
export type {
  CancelIntentOptions,
  IntentInput,
  IntentOwner,
  ListIntentsOptions,
  ObserveIntentOptions,
  SubmitIntentOptions,
  SubmittedIntent,
} from './intents/intents.ts';
export type { StopOptions } from './durable-api.ts';
export type {
  CapturedRequest,
  FullReply,
  PlainReply,
  PlainRequest,
  StoredInput,
  StreamReply,
} from './http/exchange.ts';
export { decodeInput } from './http/input.ts';
export { errorReply, problemReply } from './http/reply.ts';
export { isOperationPath } from './http/routes.ts';
export { EXCHANGE_HEADERS } from './http/exchange-headers.ts';
export { bodyParserError } from './http/body-parser-error.ts';
export { mergeVary, sendReply } from './http/send.ts';
export type { ReplyTarget } from './http/send.ts';
export { encodeFrame } from './observe/sse.ts';
export type { StreamSink } from './observe/stream-sink.ts';
export { wireJsonSchemas } from '@durable-api/protocol';
export type { WireJsonSchema, WireJsonSchemas } from '@durable-api/protocol';
