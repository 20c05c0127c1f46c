export { DurableError, NonRetryableError, RetryAfterError, isDurableError } from './errors.ts';
export type { DurableErrorOptions } from './errors.ts';
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
} from './store/store.ts';
