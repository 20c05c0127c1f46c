export { durableApi } from './durable-api.ts';
export type { ExpressDurableApi, ExpressDurableApiOptions } from './durable-api.ts';
export type { OperationMiddleware } from './mount/middleware.ts';
export type {
  AgentOperationOptions,
  ExpressOperationOptions,
  OperationHandler,
} from './operation-options.ts';
export {
  ChildError,
  DurableError,
  NonRetryableError,
  RetryAfterError,
  WaitTimeoutError,
  durable,
  isDurableError,
  memoryStore,
} from '@durable-api/core';
export type {
  AgentRef,
  AttemptContext,
  Child,
  DurableApiOptions,
  OperationOptions,
  StartOptions,
  StopOptions,
} from '@durable-api/core';
