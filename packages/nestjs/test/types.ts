import { memoryStore, type AttemptContext, type IntentRecord } from '@durable-api/core';
import { Body, Controller, Post } from '@nestjs/common';
import type { FastifyRequest } from 'fastify';
import type { Request } from 'express';
import {
  Durable,
  DurableApiModule,
  DurableContext,
  operationOf,
  type DurableApiService,
  type DurableRequest,
} from '../src/index.ts';

/** What must compile, and what must not: this file is checked, never run. */
export const types = {
  modules: [
    DurableApiModule.forRoot({ store: memoryStore() }),
    DurableApiModule.forRoot({ store: memoryStore(), identify: (request) => request.originalUrl }),
    DurableApiModule.forRoot({
      store: memoryStore(),
      identify: (request: Request) => request.get('x-tenant') ?? '',
      authorize: async (request: FastifyRequest, intent: IntentRecord) =>
        request.ip === intent.owner,
      capture: ({ user }: DurableRequest) => ({ user }),
      restore: (captured, request) => void Object.assign(request, captured),
    }),
    DurableApiModule.forRootAsync({
      inject: ['STORE'],
      useFactory: async () => ({ store: memoryStore(), shutdownGraceMs: 1_000 }),
    }),
    // @ts-expect-error A store is needed.
    DurableApiModule.forRoot({}),
    // @ts-expect-error There is no such option.
    DurableApiModule.forRoot({ store: memoryStore(), concurency: 3 }),
    // @ts-expect-error An owner is a text.
    DurableApiModule.forRoot({ store: memoryStore(), identify: () => 7 }),
    // @ts-expect-error The factory returns the options.
    DurableApiModule.forRootAsync({ useFactory: () => ({ worker: true }) }),
  ],
  decorators: [
    Durable(),
    Durable({ name: 'reports.generate', retries: 3, timeoutMs: 60_000 }),
    // @ts-expect-error There is no such option.
    Durable({ retry: 3 }),
    // @ts-expect-error Durations are numbers of milliseconds.
    Durable({ timeoutMs: '1m' }),
  ],
  async children({ start }: AttemptContext): Promise<boolean> {
    const child = await start(operationOf(TypedController, 'run'), {});
    // @ts-expect-error There is no such method.
    operationOf(TypedController, 'walk');
    return 'body' in (await child.result());
  },
  async service(service: DurableApiService): Promise<IntentRecord | null> {
    const { record } = await service.submit('reports.generate', { body: { quarter: 'Q3' } });
    for await (const event of service.observe(record.id)) event.event_type.slice(event.seq);
    service.observe$(record.id).subscribe(({ status }) => status.toLowerCase());
    // @ts-expect-error A parameter of a path is a text.
    await service.submit('reports.generate', { params: { id: 7 } });
    return service.get(record.id);
  },
};

@Controller()
export class TypedController {
  @Durable()
  @Post()
  run(@Body() body: object, @DurableContext() { progress, signal }: AttemptContext): object {
    progress({ fraction: 0.5, message: 'half' });
    return { body, aborted: signal.aborted };
  }

  // @ts-expect-error It belongs on a method.
  @Durable()
  readonly field = 1;
}
