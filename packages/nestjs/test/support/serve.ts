import {
  Module,
  type DynamicModule,
  type INestApplication,
  type Provider,
  type Type,
} from '@nestjs/common';
import { onTestFinished } from 'vitest';
import { DurableApiModule, memoryStore, type DurableApiModuleOptions } from '../../src/index.ts';
import { createApp, listen, type PlatformName } from './app.ts';
import { Client } from './client.ts';

/** What a test serves. */
export interface Serving {
  readonly controllers: Type<unknown>[];
  readonly providers?: Provider[];
  readonly imports?: DynamicModule[];
  readonly options?: Partial<DurableApiModuleOptions>;
  /** What `main.ts` would do before it listens. */
  readonly prepare?: (app: INestApplication) => void;
}

/** A module of these parts beside the durable API. */
export function rootModule(serving: Serving): Type<unknown> {
  const { controllers, providers = [], imports = [], options } = serving;

  @Module({
    imports: [
      DurableApiModule.forRoot({ store: memoryStore(), random: () => 0, ...options }),
      ...imports,
    ],
    controllers,
    providers,
  })
  class RootModule {}
  return RootModule;
}

/** Serves a module until the test ends. */
export async function serve(platform: PlatformName, serving: Serving): Promise<Client> {
  const app = await createApp(platform, rootModule(serving));
  serving.prepare?.(app);
  const client = new Client(await listen(app));
  onTestFinished(() => app.close());
  return client;
}
