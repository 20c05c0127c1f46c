import type { GatewayFactory } from '@durable-api/conformance';
import { gateway } from '@durable-api/gateway';
import { Module } from '@nestjs/common';
import { DurableApiModule, DurableApiService } from '../../src/index.ts';
import { createApp, listen, type PlatformName } from './app.ts';

/** A gateway in a Nest app, as `main.ts` mounts it. */
export function onNest(platform: PlatformName): GatewayFactory {
  return async ({ store, webhooks, ...options }) => {
    @Module({ imports: [DurableApiModule.forRoot({ store, webhooks })] })
    class AppModule {}

    const app = await createApp(platform, AppModule);
    app.use(gateway(app.get(DurableApiService), options));
    return { baseUrl: await listen(app), stop: () => app.close() };
  };
}
