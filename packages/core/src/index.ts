export {
  ChildError,
  DurableError,
  NonRetryableError,
  RetryAfterError,
  WaitTimeoutError,
  isDurableError,
} from './errors.ts';
export type { AboutChild, ChildErrorCode, DurableErrorOptions } from './errors.ts';
export { HandlerFault, resultTooLarge } from './handler-fault.ts';
export type { HandlerFaultCode } from './handler-fault.ts';
export { isHttpError, responseOfHttpError } from './http-error.ts';
export type { HttpError } from './http-error.ts';
export { systemClock } from './clock.ts';
export type { Clock, Timer } from './clock.ts';
export type { Idempotency, IntentRecord, StoredResponse } from './state/intent.ts';
export type { Command, CommandType } from './state/command.ts';
export { NEXT_STATUSES } from './state/next-statuses.ts';
export { transition } from './state/transition.ts';
export type { Transition } from './state/transition.ts';
export { freedLiveKey } from './state/live-key.ts';
export { createIntent } from './state/submit.ts';
export type { EagerLease, NewIntent } from './state/submit.ts';
export { splitOperation, storedOperation, VERSION_MARK } from './state/stored-operation.ts';
export type { VersionedOperation } from './state/stored-operation.ts';
export { placeId } from './state/place-id.ts';
export { memoryData, memoryStore } from './store/memory-store.ts';
export type { MemoryData } from './store/memory-store.ts';
export { versionedStore } from './store/versioned-store.ts';
export { leaseDueAt } from './store/lease-due.ts';
export type {
  ClaimRequest,
  ClaimResult,
  Claimed,
  CommitRequest,
  CommitResult,
  DuePosition,
  EventsRequest,
  Found,
  GetRequest,
  KeyedOperation,
  ListRequest,
  Note,
  PruneRequest,
  RateLimit,
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
  ConcurrencyOptions,
  DurableApiOptions,
  Instant,
  LimitOptions,
  ObserveOptions,
  OperationDefaults,
  OperationOptions,
  RequestHook,
  ResolvedOperationOptions,
  RetentionOptions,
  TicketOptions,
} from './options.ts';
export type {
  WebhookAnswer,
  WebhookOptions,
  WebhookPost,
  WebhookSecret,
} from './webhooks/webhook-options.ts';
export type { WebhookSender } from './webhooks/webhook-sender.ts';
export { WEBHOOK_OPERATION } from './webhooks/delivery-input.ts';
export { AttemptAborted } from './engine/operation.ts';
export type {
  AbortCause,
  AttemptContext,
  Operation,
  OperationDefinition,
  RequestParts,
  SignalSchema,
  SleepOptions,
  StepContext,
  StepOptions,
  WaitOptions,
} from './engine/operation.ts';
export { valueOf } from './handler/child.ts';
export type { Child, OperationRef, Start, StartOptions } from './handler/child.ts';
export { DRIVEN_NOTE, endsOf } from './handler/child-notes.ts';
export type { ChildEnd } from './handler/child-notes.ts';
export { answerTypeOf, encodeAnswerChunk, isStreamedAnswer } from './handler/streamed-answer.ts';
export { contextForAnotherCall, putOut } from './handler/handler-context.ts';
export { DURABLE_CONTEXT, durable } from './durable-context.ts';
export type {
  MissedTicks,
  ScheduleInput,
  ScheduleOption,
  ScheduleOptions,
  Tick,
} from './schedule/schedule-options.ts';
export { DurableApi } from './durable-api.ts';
export { Intents } from './intents/intents.ts';
export { listIntents } from './intents/list-intents.ts';
export { Ledger } from './ledger/ledger.ts';
export type { DrivenChild } from './ledger/ledger.ts';
export { MAX_AGENT_PAYLOAD_BYTES } from './agents/agent-host.ts';
export type { AgentChild, AgentHost, AgentWork } from './agents/agent-host.ts';
export type { AgentRef, AgentTarget } from './agents/agent-ref.ts';
export { NO_ANSWER } from './agents/hand-over.ts';
export type { OnDue } from './engine/driven-intents.ts';
export type { Committed, Submitted } from './engine/group-commit.ts';
export type { Wait, WaitRequest } from './observe/hub.ts';
export type { Change } from './observe/topic.ts';
export { canonicalJson, hashParts } from './http/fingerprint.ts';
export { checkPayload } from './http/payload.ts';
export type { PayloadLimits } from './http/payload.ts';
export type {
  CancelIntentOptions,
  IntentOwner,
  ListIntentsOptions,
  ObserveIntentOptions,
  RetryIntentOptions,
  SignalIntentOptions,
} from './intents/intents.ts';
export type { RetriedMany, RetryManyOptions, RetryableStatus } from './intents/retry-many.ts';
export type { IntentInput, SubmitIntentOptions, SubmittedIntent } from './intents/submit-intent.ts';
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
export { hasLeft, mergeVary, sendReply } from './http/send.ts';
export type { ReplyTarget } from './http/send.ts';
export { encodeFrame } from './observe/sse.ts';
export type { StreamSink } from './observe/stream-sink.ts';
export { wireJsonSchemas } from '@durable-api/protocol';
export type { WireJsonSchema, WireJsonSchemas } from '@durable-api/protocol';
