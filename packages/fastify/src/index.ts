export { durableApi, durableApi as default } from './plugin.ts';
export type { Captured, DurableApiPluginOptions, DurableRouteOptions } from './options.ts';
export {
  ChildError,
  DurableError,
  NonRetryableError,
  RetryAfterError,
  WaitTimeoutError,
  durable,
} from '@durable-api/core';
export type { AttemptContext, Child, StartOptions } from '@durable-api/core';
