import { DurableApi, DurableError, type Operation, type PlainRequest } from '@durable-api/core';
import { ServiceUnavailableException, type HttpServer, type Type } from '@nestjs/common';
import { ModuleRef, type ApplicationConfig, type DiscoveryService } from '@nestjs/core';
import { runMethod } from './attempt/run-method.ts';
import { captureCall, composeCall } from './attempt/stored-call.ts';
import type { DurableRequest } from './durable-request.ts';
import { nestLogger } from './nest-logger.ts';
import type { DurableApiModuleOptions } from './options.ts';
import { isLikeIntentId, splitPath, splitUrl } from './platform/intent-url.ts';
import { platformOf, type Platform } from './platform/platform.ts';
import { ticketOpener } from './platform/ticket-opener.ts';
import { durableMethods } from './durable-decorator.ts';
import { readRoutes, type DurableRoute } from './routes/durable-route.ts';
import { installRoute } from './routes/install-route.ts';
import { mountError } from './routes/mount-error.ts';
import type { RouteAnswerer, RouteCall } from './routes/runtime-token.ts';

type Wrapper = ReturnType<DiscoveryService['getControllers']>[number];

/** A durable method of one controller of the app. */
interface Mounted {
  readonly route: DurableRoute;
  readonly wrapper: Wrapper;
  operation: Operation | null;
}

/** The durable API of one Nest app: finds its durable methods, declares them, and answers for them. */
export class DurableRuntime implements RouteAnswerer {
  readonly api: DurableApi<DurableRequest>;
  readonly #options: DurableApiModuleOptions;
  readonly #config: ApplicationConfig;
  readonly #mounted = new Map<object, Map<string, Mounted>>();
  #platform: Platform | null = null;

  /**
   * Puts the durable methods of the app's controllers in place.
   * @throws DurableError `options_invalid`, or `mount_invalid` naming the method that cannot work.
   */
  constructor(
    options: DurableApiModuleOptions,
    discovery: DiscoveryService,
    config: ApplicationConfig,
  ) {
    this.#options = options;
    this.#config = config;
    const { capture: _capture, restore: _restore, shutdownGraceMs: _grace, ...core } = options;
    this.api = new DurableApi<DurableRequest>({ ...core, logger: core.logger ?? nestLogger() });
    for (const wrapper of discovery.getControllers()) this.#mount(wrapper);
    for (const { metatype } of discovery.getProviders()) refuseProvider(metatype);
  }

  /** Called with the app's adapter, before Nest registers the routes of controllers. */
  prepare(adapter: HttpServer): void {
    this.#platform = platformOf(adapter);
    if (this.#platform === null && this.#mounted.size > 0) {
      const message = 'Durable operations run on platform-express and on platform-fastify only.';
      throw new DurableError('mount_invalid', message);
    }
    const opener = this.api.hasTickets ? ticketOpener(this.api, this.#platform) : null;
    this.#platform?.prepare(opener);
  }

  /** Declares the operations; from then on, stored intents are worked on. */
  start(): void {
    for (const mounted of this.mounted()) {
      const { route } = mounted;
      mounted.operation = this.api.declare(
        {
          name: route.operation,
          run: (input, context) => this.#run(mounted, input, context),
          compose: (parts) => ({ ...composeCall(parts, this.platformType) }),
        },
        route.options,
      );
    }
  }

  /** The kind of platform that methods answer on; Express's where there is no HTTP. */
  get platformType(): Platform['type'] {
    return this.#platform?.type ?? 'express';
  }

  /** The durable methods of the app. */
  *mounted(): Generator<Mounted> {
    for (const methods of this.#mounted.values()) yield* methods.values();
  }

  /** Answers a request to a route of a durable method. */
  async answer(call: RouteCall): Promise<void> {
    const operation = this.#mounted.get(call.type)?.get(call.method)?.operation;
    const platform = this.#platform;
    if (operation === null || operation === undefined || platform === null) {
      throw new ServiceUnavailableException('The app is starting. Try again in a moment.');
    }
    const { request, response, next } = call;
    const reply = await this.api.handle(operation, this.#plainRequest(call, platform));
    if (reply === null) platform.passOn(response, next);
    else platform.send(reply, request, response);
  }

  /** Ends streams and attempts, and closes the store; again, it does nothing. */
  stop(graceMs: number | undefined = this.#options.shutdownGraceMs): Promise<void> {
    return this.api.stop(graceMs === undefined ? {} : { graceMs });
  }

  #mount(wrapper: Wrapper): void {
    const { metatype } = wrapper;
    if (!isClass(metatype)) return;
    for (const route of readRoutes(metatype)) {
      installRoute(route);
      const methods = this.#mounted.get(metatype) ?? new Map<string, Mounted>();
      methods.set(route.method, { route, wrapper, operation: null });
      this.#mounted.set(metatype, methods);
    }
  }

  #run({ route, wrapper }: Mounted, ...attempt: RunParameters): ReturnType<Operation['run']> {
    const moduleRef = wrapper.host?.getProviderByKey(ModuleRef).instance;
    if (moduleRef === undefined) throw new Error(`${route.type.name} belongs to no module.`);
    return runMethod(
      {
        route,
        moduleRef,
        config: this.#config,
        isTreeDurable: () => wrapper.isDependencyTreeDurable(),
        restore: this.#options.restore,
        maxResultBytes: this.api.maxResultBytes,
      },
      ...attempt,
    );
  }

  #plainRequest(call: RouteCall, platform: Platform): PlainRequest<DurableRequest> {
    const { request, response, type, method, values } = call;
    const { path, query } = splitUrl(request.originalUrl);
    const route = this.#mounted.get(type)?.get(method)?.route;
    const { operation, rest } = splitPath(path, values === null ? depthOf(path) : 0);
    return {
      source: request,
      method: request.method,
      operationPath: operation,
      subPath: rest,
      query,
      headers: request.headers,
      capture: () => {
        if (route === undefined || values === null) throw new TypeError('This is no submit.');
        const captured = this.#options.capture?.(request) ?? {};
        return captureCall({ route, request, values, captured, platform: platform.type });
      },
      body: () => request.body,
      onClose: (listener) => platform.onClose(response, listener),
    };
  }
}

type RunParameters = Parameters<Operation['run']>;

/** How many segments of the path of an intent follow the operation's own. */
function depthOf(path: string): number {
  if (isLikeIntentId(splitPath(path, 1).rest.slice(1))) return 1;
  return /\/signals\/[^/]+\/?$/.test(path) ? 3 : 2;
}

function refuseProvider(metatype: unknown): void {
  const [method] = isClass(metatype) ? durableMethods(metatype.prototype) : [];
  if (method === undefined || !isClass(metatype)) return;
  throw mountError(
    { type: metatype.name, method },
    'the class is no controller. Add @Controller().',
  );
}

function isClass(value: unknown): value is Type<object> {
  if (typeof value !== 'function') return false;
  const prototype: unknown = value.prototype;
  return typeof prototype === 'object' && prototype !== null;
}
