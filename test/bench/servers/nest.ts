import { memoryStore } from '@durable-api/core';
import { Durable, DurableApiModule } from '@durable-api/nestjs';
import { sqliteStore } from '@durable-api/store-sqlite';
import { Body, Controller, Header, HttpCode, Module, Post } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { ExpressAdapter } from '@nestjs/platform-express';
import { FastifyAdapter } from '@nestjs/platform-fastify';
import { equalBody, equalHeaders, equalStatus } from './equal-answer.ts';

const {
  PLATFORM = 'express',
  MODE = 'durable',
  STORE = 'sqlite',
  STORE_FILE = '',
  WORKER = '1',
} = process.env;

/** The method that is benched: bare, and as a durable operation. */
class BenchController {
  answer(body: { quarter?: string }): object | string {
    if (MODE === 'equal') return equalBody;
    return { ok: true, quarter: body.quarter };
  }
}

class BenchModule {
  readonly isBenched = true;
}

// Node runs this file by leaving out its types, and there is no leaving out decorators.
const { prototype } = BenchController;
const method = Object.getOwnPropertyDescriptor(prototype, 'answer');
if (method === undefined) throw new Error('There is no method.');
Post('op')(prototype, 'answer', method);
HttpCode(MODE === 'equal' ? equalStatus : 200)(prototype, 'answer', method);
if (MODE === 'equal') {
  for (const [name, value] of Object.entries(equalHeaders))
    Header(name, value)(prototype, 'answer', method);
}
Body()(prototype, 'answer', 0);
Controller()(BenchController);
const imports = [];
if (MODE === 'durable') {
  Durable()(prototype, 'answer', method);
  const store = STORE === 'memory' ? memoryStore() : sqliteStore(STORE_FILE);
  imports.push(DurableApiModule.forRoot({ store, worker: WORKER === '1' }));
}
Module({ imports, controllers: [BenchController] })(BenchModule);

const adapter = PLATFORM === 'fastify' ? new FastifyAdapter() : new ExpressAdapter();
const app = await NestFactory.create(BenchModule, adapter, { logger: false });
await app.listen(0, '127.0.0.1');
console.log(new URL(await app.getUrl()).port);
