export { DurableApiModule } from './durable-api-module.ts';
export { DurableApiService } from './durable-api-service.ts';
export type { MethodInput } from './durable-api-service.ts';
export { Durable } from './durable-decorator.ts';
export { DurableContext } from './durable-context-decorator.ts';
export type { DurableRequest, StoredRequest } from './durable-request.ts';
export type { DurableApiModuleOptions, DurableOptions } from './options.ts';
export {
  DurableError,
  NonRetryableError,
  RetryAfterError,
  durable,
  isDurableError,
  memoryStore,
} from '@durable-api/core';
export type {
  AttemptContext,
  IntentRecord,
  OperationOptions,
  StopOptions,
} from '@durable-api/core';
