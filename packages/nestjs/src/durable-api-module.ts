import {
  ConfigurableModuleBuilder,
  Inject,
  Module,
  type ConfigurableModuleCls,
  type ConfigurableModuleHost,
  type NestModule,
  type OnApplicationBootstrap,
  type OnModuleDestroy,
} from '@nestjs/common';
import {
  ApplicationConfig,
  DiscoveryModule,
  DiscoveryService,
  HttpAdapterHost,
  ModulesContainer,
} from '@nestjs/core';
import { drainFirst } from './drain-first.ts';
import { DurableApiService } from './durable-api-service.ts';
import { DurableRuntime } from './durable-runtime.ts';
import type { DurableApiModuleOptions } from './options.ts';
import { RUNTIME } from './routes/runtime-token.ts';

const host: ConfigurableModuleHost<DurableApiModuleOptions, 'forRoot'> =
  new ConfigurableModuleBuilder<DurableApiModuleOptions>({ moduleName: 'DurableApi' })
    .setClassMethodName('forRoot')
    .setExtras({}, (definition) => ({ ...definition, global: true }))
    .build();

const ConfigurableModule: ConfigurableModuleCls<DurableApiModuleOptions, 'forRoot'> =
  host.ConfigurableModuleClass;

/**
 * Makes the methods that bear `@Durable()` durable, in all modules of the app. Import it once, in the
 * root module: `DurableApiModule.forRoot({ store })`, or `forRootAsync({ useFactory, inject, imports })`.
 */
@Module({
  imports: [DiscoveryModule],
  providers: [
    {
      provide: RUNTIME,
      useFactory: (
        options: DurableApiModuleOptions,
        discovery: DiscoveryService,
        config: ApplicationConfig,
      ) => new DurableRuntime(options, discovery, config),
      inject: [host.MODULE_OPTIONS_TOKEN, DiscoveryService, ApplicationConfig],
    },
    {
      provide: DurableApiService,
      useFactory: (runtime: DurableRuntime) => new DurableApiService(runtime),
      inject: [RUNTIME],
    },
  ],
  exports: [RUNTIME, DurableApiService],
})
export class DurableApiModule
  extends ConfigurableModule
  implements NestModule, OnApplicationBootstrap, OnModuleDestroy
{
  readonly #runtime: DurableRuntime;
  readonly #adapterHost: HttpAdapterHost;
  readonly #modules: ModulesContainer;

  constructor(
    @Inject(RUNTIME) runtime: DurableRuntime,
    @Inject(HttpAdapterHost) adapterHost: HttpAdapterHost,
    @Inject(ModulesContainer) modules: ModulesContainer,
  ) {
    super();
    this.#runtime = runtime;
    this.#adapterHost = adapterHost;
    this.#modules = modules;
  }

  /** Called by Nest before it registers the routes of controllers. */
  configure(): void {
    this.#runtime.prepare(this.#adapterHost.httpAdapter);
  }

  /** Declares the operations, once all providers of the app are initialised. */
  onApplicationBootstrap(): void {
    this.#runtime.start();
    drainFirst(this.#modules, () => this.#runtime.stop());
  }

  /** Ends what `drainFirst` has not. */
  async onModuleDestroy(): Promise<void> {
    await this.#runtime.stop();
  }
}
