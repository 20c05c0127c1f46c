export { DurableApiModule } from './durable-api-module.ts';
export { DurableApiService } from './durable-api-service.ts';
export type { MethodInput } from './durable-api-service.ts';
export { Durable } from './durable-decorator.ts';
export { operationOf } from './operation-of.ts';
export { DurableContext } from './durable-context-decorator.ts';
export type { DurableRequest, StoredRequest } from './durable-request.ts';
export type { DurableApiModuleOptions, DurableOptions } from './options.ts';
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
  AttemptContext,
  Child,
  IntentRecord,
  OperationOptions,
  StartOptions,
  StopOptions,
} from '@durable-api/core';
