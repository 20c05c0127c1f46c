import {
  Body,
  Controller,
  createParamDecorator,
  Headers,
  Inject,
  Injectable,
  Ip,
  Param,
  ParseIntPipe,
  Post,
  Query,
  Scope,
  UseInterceptors,
  UsePipes,
  ValidationPipe,
  type CallHandler,
  type ExecutionContext,
  type NestInterceptor,
  type PipeTransform,
} from '@nestjs/common';
import { REQUEST } from '@nestjs/core';
import { Type } from 'class-transformer';
import { IsDate, IsInt, IsString, ValidateNested } from 'class-validator';
import type { Observable } from 'rxjs';
import { describe, expect, it } from 'vitest';
import { Durable, durable, DurableContext, type AttemptContext } from '../src/index.ts';
import { PLATFORMS } from './support/app.ts';
import { serve } from './support/serve.ts';

class Range {
  @IsDate()
  @Type(() => Date)
  from!: Date;

  days(): number {
    return (Date.UTC(2026, 0, 31) - this.from.getTime()) / 86_400_000;
  }
}

class ReportDto {
  @IsString()
  quarter!: string;

  @IsInt()
  @Type(() => Number)
  copies!: number;

  @ValidateNested()
  @Type(() => Range)
  range!: Range;

  title(): string {
    return `Report of ${this.quarter}`;
  }
}

const REPORT = { quarter: 'Q3', copies: '2', range: { from: '2026-01-01T00:00:00.000Z' } };

@Injectable()
class AddOne implements PipeTransform {
  transform(value: unknown): unknown {
    return typeof value === 'number' ? value + 1 : value;
  }
}

let lookUps = 0;

@Injectable()
class LookUp implements PipeTransform {
  transform(id: string): object {
    lookUps += 1;
    return { id, lookUp: lookUps };
  }
}

@Injectable()
class Stamp implements NestInterceptor {
  intercept(context: ExecutionContext, next: CallHandler): Observable<unknown> {
    const { body } = context.switchToHttp().getRequest();
    body.stamped = true;
    return next.handle();
  }
}

const CurrentUser = createParamDecorator((_data, context: ExecutionContext) => ({
  name: context.switchToHttp().getRequest().headers['x-user'],
}));

@Injectable({ scope: Scope.REQUEST })
class Tenant {
  readonly made: number;
  readonly request: Record<string, unknown>;
  static count = 0;

  constructor(@Inject(REQUEST) request: Record<string, unknown>) {
    this.request = request;
    this.made = ++Tenant.count;
  }
}

@Controller({ path: 'things/:kind' })
class ThingsController {
  @Durable()
  @Post('validated')
  validated(@Body() report: ReportDto): object {
    return {
      isReport: report instanceof ReportDto,
      isDate: report.range.from instanceof Date,
      title: report.title(),
      days: report.range.days(),
      copies: report.copies,
    };
  }

  @Durable()
  @Post('parts/:id')
  parts(
    @Param('id', ParseIntPipe, AddOne) id: number,
    @Param('kind') kind: string,
    @Query('page', new ParseIntPipe({ optional: true })) page: number | undefined,
    @Body('name') name: string,
    @Headers('x-wish') wish: string,
    @Ip() ip: string,
  ): object {
    return { id, kind, page, name, wish, ip };
  }

  @Durable()
  @UsePipes(LookUp)
  @Post('looked-up')
  lookedUp(@Query('id') found: object): object {
    return found;
  }

  @Durable()
  @UseInterceptors(Stamp)
  @Post('stamped')
  stamped(@Body() body: object): object {
    return body;
  }

  @Durable({ storeCustomParameters: true })
  @Post('custom')
  custom(@CurrentUser() user: object, @DurableContext() context: AttemptContext): object {
    return { user, attempt: context.attempt, operation: context.operation };
  }
}

@Controller('scoped')
class ScopedController {
  readonly tenant: Tenant;

  constructor(@Inject(Tenant) tenant: Tenant) {
    this.tenant = tenant;
  }

  @Durable()
  @Post()
  run(): object {
    const { request, made } = this.tenant;
    return {
      made,
      user: request['user'],
      wish: Reflect.get(Object(request['headers']), 'x-wish') ?? null,
      authorization: Reflect.get(Object(request['headers']), 'authorization') ?? null,
      attempt: durable(request).attempt,
    };
  }
}

for (const platform of PLATFORMS) {
  describe(`a durable method on ${platform}`, () => {
    it('gets DTOs that are instances, as before it was durable', async () => {
      const client = await serve(platform, {
        controllers: [ThingsController],
        prepare: (app) => app.useGlobalPipes(new ValidationPipe({ transform: true })),
      });
      const response = await client.result('/things/a/validated', REPORT);
      expect(await response.json()).toEqual({
        isReport: true,
        isDate: true,
        title: 'Report of Q3',
        days: 30,
        copies: 2,
      });
    });

    it('is submitted only what its pipes let through', async () => {
      const client = await serve(platform, {
        controllers: [ThingsController],
        prepare: (app) => app.useGlobalPipes(new ValidationPipe({ transform: true })),
      });
      const response = await client.send('POST', '/things/a/validated', { quarter: 'Q3' });
      expect(response.status).toBe(400);
      expect(await response.json()).toMatchObject({ error: 'Bad Request', statusCode: 400 });
    });

    it('gets each parameter once through its pipes, and whatever was sent', async () => {
      const client = await serve(platform, { controllers: [ThingsController] });
      const wishing = client.as({ 'x-wish': 'a cup' });
      const response = await wishing.result('/things/a%20b/parts/41?page=7', { name: 'N' });
      expect(await response.json()).toEqual({
        id: 42,
        kind: 'a b',
        page: 7,
        name: 'N',
        wish: 'a cup',
        ip: '127.0.0.1',
      });
    });

    it('gets what the pipes found at the submit, where that is data', async () => {
      const client = await serve(platform, { controllers: [ThingsController] });
      lookUps = 0;
      const response = await client.result('/things/a/looked-up?id=7');
      expect(await response.json()).toEqual({ id: '7', lookUp: 1 });
    });

    it('sees what interceptors did to the request before it', async () => {
      const client = await serve(platform, { controllers: [ThingsController] });
      const response = await client.result('/things/a/stamped', { a: 1 });
      expect(await response.json()).toEqual({ a: 1, stamped: true });
    });

    it('gets the values of custom decorators if it says so, and the durable context', async () => {
      const client = await serve(platform, { controllers: [ThingsController] });
      const response = await client.as({ 'x-user': 'ada' }).result('/things/a/custom');
      expect(await response.json()).toEqual({
        user: { name: 'ada' },
        attempt: 1,
        operation: 'ThingsController.custom',
      });
    });

    it('has providers in request scope of its own, with the stored request and no secrets', async () => {
      const client = await serve(platform, {
        controllers: [ScopedController],
        providers: [Tenant],
        options: { capture: (request) => ({ user: { of: request.headers['x-tenant'] } }) },
      });
      Tenant.count = 0;
      const headers = { 'x-tenant': 't1', 'x-wish': 'w', authorization: 'Bearer secret' };
      const response = await client.as(headers).result('/scoped');
      expect(await response.json()).toEqual({
        // The first was made for the submit.
        made: 2,
        user: { of: 't1' },
        wish: null,
        authorization: null,
        attempt: 1,
      });
    });

    it('has the routes of its intents also where its controller is in request scope', async () => {
      const client = await serve(platform, {
        controllers: [ScopedController],
        providers: [Tenant],
      });
      const links = await client.submit('/scoped');
      expect((await client.ended(links)).status).toBe('COMPLETED');
      expect((await client.send('GET', links.result)).status).toBe(201);
    });

    it('puts what `restore` says on the request of the attempt', async () => {
      const client = await serve(platform, {
        controllers: [ScopedController],
        providers: [Tenant],
        options: {
          capture: () => ({ id: 7 }),
          restore: (captured, request) => Object.assign(request, { user: captured['id'] }),
        },
      });
      expect(await (await client.result('/scoped')).json()).toMatchObject({ user: 7 });
    });
  });
}
