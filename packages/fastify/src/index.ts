export { durableApi, durableApi as default } from './plugin.ts';
export type { Captured, DurableApiPluginOptions, DurableRouteOptions } from './options.ts';
export { DurableError, NonRetryableError, RetryAfterError, durable } from '@durable-api/core';
export type { AttemptContext } from '@durable-api/core';
