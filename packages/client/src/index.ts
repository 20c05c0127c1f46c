export { DurableClient } from './durable-client.ts';
export type { OperationOptions } from './durable-client.ts';
export { Operation } from './operation.ts';
export type { CallOptions, ObserveOptions, OnceOptions } from './operation.ts';
export { outputOf } from './output.ts';
export type { OutputPart } from './output.ts';
export type { SubmitOptions } from './submit.ts';
export type { ClientOptions, HeaderRecord, RetryNotice } from './options.ts';
export type { BackoffOptions } from './backoff.ts';
export {
  DurableClientError,
  OperationCanceledError,
  OperationFailedError,
  OperationTimedOutError,
} from './errors.ts';
export type { LocalCode } from './errors.ts';
export type { InputOf, ResultOf, SchemaResult, ValueSchema } from './operation-types.ts';
export { failureOf, progressOf } from './event-details.ts';
export type { Fetch, FetchInit, FetchResponse, HttpDispatcher } from './transport/fetch.ts';
export type { Failure, Progress, Status, WireEvent, WireSnapshot } from '@durable-api/protocol';
