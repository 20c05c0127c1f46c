import { request } from 'node:http';
import {
  Controller,
  Get,
  HostParam,
  Inject,
  Injectable,
  Module,
  Param,
  Post,
  SetMetadata,
  UseFilters,
  UseGuards,
  UseInterceptors,
  Version,
  VersioningType,
  ForbiddenException,
  type ArgumentsHost,
  type CallHandler,
  type CanActivate,
  type ExceptionFilter,
  type ExecutionContext,
  type NestInterceptor,
} from '@nestjs/common';
import { Reflector, RouterModule } from '@nestjs/core';
import { map } from 'rxjs';
import { afterEach, describe, expect, it } from 'vitest';
import { Durable, DurableApiModule, memoryStore } from '../src/index.ts';
import { createApp, listen, PLATFORMS } from './support/app.ts';
import { Client, type Links } from './support/client.ts';
import { serve } from './support/serve.ts';

const Role = (role: string): MethodDecorator => SetMetadata('role', role);

/** Lets in who has the role that the route asks for. */
@Injectable()
class RoleGuard implements CanActivate {
  readonly reflector: Reflector;

  constructor(@Inject(Reflector) reflector: Reflector) {
    this.reflector = reflector;
  }

  canActivate(context: ExecutionContext): boolean {
    const role = this.reflector.get<string | undefined>('role', context.getHandler());
    const { headers } = context.switchToHttp().getRequest();
    if (role !== undefined && headers['x-role'] !== role) {
      throw new ForbiddenException(`${context.getHandler().name} is for a ${role}.`);
    }
    return true;
  }
}

/** Answers in its own way. */
class Teapot implements ExceptionFilter {
  catch(_error: unknown, host: ArgumentsHost): void {
    const response = host.switchToHttp().getResponse();
    if ('code' in response) response.code(418).send({ teapot: true });
    else response.status(418).json({ teapot: true });
  }
}

const intercepted: string[] = [];

@Injectable()
class Envelope implements NestInterceptor {
  intercept(context: ExecutionContext, next: CallHandler) {
    intercepted.push(context.getHandler().name);
    return next.handle().pipe(map((data: unknown) => ({ data })));
  }
}

@Controller('guarded')
class GuardedController {
  @Durable()
  @Role('clerk')
  @UseGuards(RoleGuard)
  @Post('below')
  below(): object {
    return { is: 'below' };
  }

  @UseGuards(RoleGuard)
  @Post('above')
  @Role('clerk')
  @Durable()
  above(): object {
    return { is: 'above' };
  }

  @Durable()
  @Role('clerk')
  @UseFilters(new Teapot())
  @UseGuards(RoleGuard)
  @Post('filtered')
  filtered(): object {
    return {};
  }
}

@Controller('enveloped')
@UseInterceptors(Envelope)
class EnvelopedController {
  @Durable()
  @Post()
  run(): object {
    return { is: 'bare' };
  }
}

@Controller('reports')
class ReportsController {
  @Get(':id')
  one(@Param('id') id: string): object {
    return { id };
  }

  @Get(':id/events')
  eventsOf(@Param('id') id: string): object {
    return { eventsOf: id };
  }

  @Durable()
  @Post()
  generate(): object {
    return { done: true };
  }
}

@Controller({ path: 'versioned', version: '1' })
class VersionOneController {
  @Durable()
  @Post()
  run(): object {
    return { version: 1 };
  }

  @Durable()
  @Version('2')
  @Post()
  runTwo(): object {
    return { version: 2 };
  }
}

@Controller(['one', 'two'])
class TwoPathsController {
  @Durable()
  @Post(['a', 'b'])
  run(): object {
    return {};
  }
}

abstract class Base {
  abstract readonly kind: string;

  @Durable()
  @Post('run')
  run(): object {
    return { kind: this.kind };
  }
}

@Controller('first')
class FirstController extends Base {
  readonly kind = 'first';
}

@Controller('second')
class SecondController extends Base {
  readonly kind = 'second';
}

@Controller({ path: 'hosted', host: ':tenant.localhost' })
class HostedController {
  @Durable()
  @Post()
  run(@HostParam('tenant') tenant: string): object {
    return { tenant };
  }
}

function everyWay(links: Links): readonly (readonly [string, string])[] {
  return [
    ['GET', links.self],
    ['GET', links.events],
    ['GET', links.result],
    ['DELETE', links.self],
    ['POST', links.cancel],
    ['PUT', links.self],
  ];
}

/** Asks with a `Host` of its own. */
function askHost(
  origin: string,
  host: string,
  method: string,
  path: string,
): Promise<{ status: number; body: Record<string, unknown> }> {
  return new Promise((resolve, reject) => {
    const headers = { host, prefer: 'wait=10' };
    const sent = request(new URL(path, origin), { method, headers }, (response) => {
      let text = '';
      response.on('data', (chunk) => (text += String(chunk)));
      response.on('end', () => {
        const { 'intent-id': id } = response.headers;
        resolve({ status: response.statusCode ?? 0, body: { ...JSON.parse(text), id } });
      });
    });
    sent.on('error', reject).end();
  });
}

afterEach(() => {
  intercepted.length = 0;
});

for (const platform of PLATFORMS) {
  describe(`the routes of an intent on ${platform}`, () => {
    it('have the guards of the method and what these look at, in either order of decorators', async () => {
      const client = await serve(platform, { controllers: [GuardedController] });
      const clerk = client.as({ 'x-role': 'clerk' });
      for (const path of ['/guarded/below', '/guarded/above']) {
        expect((await client.send('POST', path, {})).status, path).toBe(403);
        const links = await clerk.submit(path);
        for (const [method, way] of everyWay(links)) {
          const refused = await client.send(method, way);
          expect(refused.status, `${method} ${way}`).toBe(403);
          expect(await refused.json()).toMatchObject({ message: /is for a clerk/ });
        }
        expect((await clerk.ended(links)).status).toBe('COMPLETED');
        expect(await (await clerk.send('GET', links.result)).json()).toEqual({
          is: path.slice('/guarded/'.length),
        });
      }
    });

    it('have the exception filters of the method', async () => {
      const client = await serve(platform, { controllers: [GuardedController] });
      const links = await client.as({ 'x-role': 'clerk' }).submit('/guarded/filtered');
      for (const [method, way] of everyWay(links)) {
        const refused = await client.send(method, way);
        expect(refused.status, `${method} ${way}`).toBe(418);
      }
    });

    it('run the interceptors of the class, which cannot change what is answered', async () => {
      const client = await serve(platform, { controllers: [EnvelopedController] });
      const links = await client.submit('/enveloped');
      expect(await client.ended(links)).toMatchObject({ ok: true, status: 'COMPLETED' });
      expect(intercepted[0]).toBe('run');
      expect(intercepted).toContain('runIntentStatus');
    });

    it("leave the app's own routes of the same shape alone, wherever they stand", async () => {
      const client = await serve(platform, { controllers: [ReportsController] });
      const links = await client.submit('/reports');
      expect((await client.ended(links)).status).toBe('COMPLETED');
      expect(await (await client.send('GET', '/reports/42')).json()).toEqual({ id: '42' });
      expect(await (await client.send('GET', '/reports/42/events')).json()).toEqual({
        eventsOf: '42',
      });
      const events = await client.send('GET', links.events, undefined, {
        accept: 'application/json',
      });
      expect(await events.json()).toMatchObject({ ok: true });
    });

    it('have the version of the controller and of the method, in the path', async () => {
      const client = await serve(platform, {
        controllers: [VersionOneController],
        prepare: (app) => app.enableVersioning({ type: VersioningType.URI }),
      });
      for (const version of [1, 2]) {
        const links = await client.submit(`/v${version}/versioned`);
        expect(links.self).toBe(`/v${version}/versioned/${links.id}`);
        await client.ended(links);
        expect(await (await client.send('GET', links.result)).json()).toEqual({ version });
      }
    });

    it('have the version of the controller and of the method, in a header', async () => {
      const client = await serve(platform, {
        controllers: [VersionOneController],
        prepare: (app) => app.enableVersioning({ type: VersioningType.HEADER, header: 'x-v' }),
      });
      for (const version of [1, 2]) {
        const versioned = client.as({ 'x-v': String(version) });
        const links = await versioned.submit('/versioned');
        await versioned.ended(links);
        expect(await (await versioned.send('GET', links.result)).json()).toEqual({ version });
        const other = client.as({ 'x-v': String(3 - version) });
        expect((await other.send('GET', links.self)).status).toBe(404);
        expect((await client.send('GET', links.self)).status).toBe(404);
      }
    });

    it('are at each path of the controller and the method, and lead to the one that was asked', async () => {
      const client = await serve(platform, { controllers: [TwoPathsController] });
      for (const path of ['/one/a', '/one/b', '/two/a', '/two/b']) {
        const links = await client.submit(path);
        expect(links.self).toBe(`${path}/${links.id}`);
        expect((await client.ended(links)).status).toBe('COMPLETED');
      }
    });

    it('are those of each class that inherits the method', async () => {
      const client = await serve(platform, { controllers: [FirstController, SecondController] });
      for (const kind of ['first', 'second']) {
        const links = await client.submit(`/${kind}/run`);
        const ended = await client.ended(links);
        expect(ended.operation).toBe(`${kind === 'first' ? 'First' : 'Second'}Controller.run`);
        expect(await (await client.send('GET', links.result)).json()).toEqual({ kind });
        const strange = links.self.replace(kind, kind === 'first' ? 'second' : 'first');
        expect((await client.send('GET', strange)).status).toBe(404);
      }
    });

    it('have the global prefix and the path of the module', async () => {
      @Module({ controllers: [ReportsController] })
      class ReportsModule {}

      @Module({
        imports: [
          DurableApiModule.forRoot({ store: memoryStore() }),
          ReportsModule,
          RouterModule.register([{ path: 'admin', module: ReportsModule }]),
        ],
      })
      class RootModule {}
      const app = await createApp(platform, RootModule);
      app.setGlobalPrefix('api/v7');
      const client = new Client(await listen(app));
      const links = await client.submit('/api/v7/admin/reports');
      expect(links.self).toBe(`/api/v7/admin/reports/${links.id}`);
      expect((await client.ended(links)).status).toBe('COMPLETED');
      await app.close();
    });

    it('are those of both apps that have the class', async () => {
      const [one, two] = [
        await serve(platform, { controllers: [ReportsController] }),
        await serve(platform, { controllers: [ReportsController] }),
      ];
      const links = await one.submit('/reports');
      expect((await one.ended(links)).status).toBe('COMPLETED');
      expect((await two.send('GET', links.self)).status).toBe(404);
      expect((await two.ended(await two.submit('/reports'))).status).toBe('COMPLETED');
    });

    it('have the host of the controller and its parameters', async () => {
      const { origin } = await serve(platform, { controllers: [HostedController] });
      const submitted = await askHost(origin, 'acme.localhost', 'POST', '/hosted');
      expect(submitted).toMatchObject({ status: 201, body: { tenant: 'acme' } });
      const path = `/hosted/${String(submitted.body['id'])}`;
      const snapshot = await askHost(origin, 'acme.localhost', 'GET', path);
      expect(snapshot).toMatchObject({ status: 200, body: { status: 'COMPLETED' } });
      const foreign = await askHost(origin, 'example.org', 'GET', path);
      expect(foreign.status).toBeGreaterThanOrEqual(404);
      expect(foreign.body).not.toHaveProperty('intent_id');
    });
  });
}
