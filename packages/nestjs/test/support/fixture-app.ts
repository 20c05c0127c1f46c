import fastifyCompress from '@fastify/compress';
import fastifyHelmet from '@fastify/helmet';
import {
  fixtureTenant,
  type AdapterServer,
  type AdapterSetup,
  type FixtureOperation,
  type FixtureRoute,
} from '@durable-api/conformance';
import {
  Body,
  Controller,
  Get,
  Header,
  HttpCode,
  Injectable,
  Module,
  Param,
  Post,
  Query,
  StreamableFile,
  UnauthorizedException,
  UseGuards,
  type CanActivate,
  type ExecutionContext,
  type INestApplication,
  type Type,
} from '@nestjs/common';
import compression from 'compression';
import type { FastifyInstance } from 'fastify';
import helmet from 'helmet';
import {
  Durable,
  DurableApiModule,
  DurableApiService,
  DurableContext,
  type AttemptContext,
} from '../../src/index.ts';
import { createApp, listen, type PlatformName } from './app.ts';

/** Lets in the tenants of the suite. */
@Injectable()
class TenantGuard implements CanActivate {
  canActivate(context: ExecutionContext): boolean {
    const { authorization } = context.switchToHttp().getRequest<{ headers: AuthHeaders }>().headers;
    if (fixtureTenant(authorization) === null) throw new UnauthorizedException();
    return true;
  }
}

interface AuthHeaders {
  readonly authorization?: string;
}

/** What the app has beside the fixtures, and where those are mounted. */
export interface Surroundings {
  readonly prefix?: string;
  /** Compressed, hardened, open to other origins, as apps in production are. */
  readonly isEquipped?: boolean;
}

/** Fastify's parser refuses keys that poison prototypes as it refuses malformed JSON. */
export function poisonOn(platform: PlatformName): { poisonProblem?: 'body_unreadable' } {
  return platform === 'fastify' ? { poisonProblem: 'body_unreadable' } : {};
}

/** Serves the fixtures of the suite as controllers of a Nest app. */
export async function serveFixtures(
  platform: PlatformName,
  { options, operations, routes }: AdapterSetup,
  { prefix = '', isEquipped = false }: Surroundings = {},
): Promise<AdapterServer> {
  @Module({
    imports: [DurableApiModule.forRoot(options)],
    controllers: [...operations.map(controllerOf), ...routes.map(ownController)],
  })
  class FixtureModule {}

  const app = await createApp(platform, FixtureModule);
  if (prefix !== '') app.setGlobalPrefix(prefix);
  if (isEquipped) await equip(platform, app);
  if (platform === 'express') Reflect.apply(Reflect.get(app, 'useBodyParser'), app, LARGE_BODIES);
  const origin = await listen(app);
  return {
    baseUrl: `${origin}/${prefix}`,
    async stop(graceMs) {
      await app.get(DurableApiService).stop({ graceMs });
      await app.close();
    },
  };
}

async function equip(platform: PlatformName, app: INestApplication): Promise<void> {
  app.enableCors();
  if (platform === 'express') app.use(compression({ threshold: 0 }), helmet());
  else {
    const fastify: FastifyInstance = app.getHttpAdapter().getInstance();
    await fastify.register(fastifyCompress, { threshold: 0 });
    await fastify.register(fastifyHelmet);
  }
}

/** Express's default is 100 KiB, below what the suite sends. */
const LARGE_BODIES = ['json', { limit: '1mb' }];

function controllerOf(fixture: FixtureOperation): Type<object> {
  const guards = fixture.isProtected ? [TenantGuard] : [];
  const headers = Object.entries(fixture.headers);
  const type = headers.find(([name]) => name === 'content-type')?.[1];

  @Controller()
  @UseGuards(...guards)
  class FixtureController {
    @Durable({ name: fixture.name, ...fixture.options })
    @Post(fixture.path)
    @HttpCode(fixture.status)
    async handle(
      @Param() params: Record<string, unknown>,
      @Query() query: Record<string, unknown>,
      @Body() body: unknown,
      @DurableContext() durable: AttemptContext,
    ): Promise<unknown> {
      const value = await fixture.handle({ params, query, body, durable });
      if (!Buffer.isBuffer(value)) return value;
      return new StreamableFile(value, type === undefined ? {} : { type });
    }
  }
  for (const [name, value] of headers) {
    const method = Object.getOwnPropertyDescriptor(FixtureController.prototype, 'handle');
    if (method !== undefined) Header(name, value)(FixtureController.prototype, 'handle', method);
  }
  return FixtureController;
}

function ownController({ method, path, body }: FixtureRoute): Type<object> {
  const Route = method === 'GET' ? Get : Post;

  @Controller()
  class OwnController {
    @Route(path)
    @HttpCode(200)
    answer(): unknown {
      return body;
    }
  }
  return OwnController;
}
