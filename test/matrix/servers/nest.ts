import type { AttemptContext } from '@durable-api/core';
import { storeFromUrl } from '@durable-api/example-reports';
import { Durable, DurableApiModule, DurableContext } from '@durable-api/nestjs';
import { Body, Controller, Module, Post } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { ExpressAdapter } from '@nestjs/platform-express';
import { FastifyAdapter } from '@nestjs/platform-fastify';
import { work, type Work } from './work.ts';

const { PLATFORM = 'express', STORE = '', PORT = '0', LEASE_MS = '1000' } = process.env;

class WorkController {
  work(body: Work, context: AttemptContext): Promise<object> {
    return work(body, context);
  }
}

class WorkModule {
  readonly isMatrix = true;
}

// Node runs this file by leaving out its types, and there is no leaving out decorators.
const { prototype } = WorkController;
const method = Object.getOwnPropertyDescriptor(prototype, 'work');
if (method === undefined) throw new Error('There is no method.');
Post('work')(prototype, 'work', method);
Durable({ name: 'work' })(prototype, 'work', method);
Body()(prototype, 'work', 0);
DurableContext()(prototype, 'work', 1);
Controller()(WorkController);
const options = {
  store: storeFromUrl(STORE),
  leaseMs: Number(LEASE_MS),
  shutdownGraceMs: 0,
};
Module({ imports: [DurableApiModule.forRoot(options)], controllers: [WorkController] })(WorkModule);

const adapter = PLATFORM === 'fastify' ? new FastifyAdapter() : new ExpressAdapter();
const app = await NestFactory.create(WorkModule, adapter, { logger: false });
app.enableShutdownHooks();
await app.listen(Number(PORT), '127.0.0.1');
console.log('listening');
