import { gatewayConformance, type GatewayFactory } from '@durable-api/conformance';
import { gateway } from '@durable-api/gateway';
import { Module } from '@nestjs/common';
import { DurableApiModule, DurableApiService } from '../src/index.ts';
import { createApp, listen, PLATFORMS, type PlatformName } from './support/app.ts';
import { onSqlite } from './support/on-sqlite.ts';

/** A gateway in a Nest app, as `main.ts` mounts it. */
function onNest(platform: PlatformName): GatewayFactory {
  return async ({ store, ...options }) => {
    @Module({ imports: [DurableApiModule.forRoot({ store })] })
    class AppModule {}

    const app = await createApp(platform, AppModule);
    app.use(gateway(app.get(DurableApiService), options));
    return { baseUrl: await listen(app), stop: () => app.close() };
  };
}

for (const platform of PLATFORMS) {
  gatewayConformance(`Nest on ${platform}, on SQLite,`, onNest(platform), { createData: onSqlite });
}
