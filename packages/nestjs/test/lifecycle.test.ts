import { request } from 'node:http';
import {
  Controller,
  Injectable,
  Logger,
  Module,
  Post,
  type DynamicModule,
  type LoggerService,
  type OnModuleDestroy,
  type OnModuleInit,
} from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { Test } from '@nestjs/testing';
import { memoryData } from '@durable-api/core';
import { afterEach, describe, expect, it } from 'vitest';
import {
  Durable,
  DurableApiModule,
  DurableApiService,
  DurableContext,
  memoryStore,
  type AttemptContext,
} from '../src/index.ts';
import { adapterOf, createApp, listen, PLATFORMS } from './support/app.ts';
import { Client } from './support/client.ts';

const order: string[] = [];
let gate = Promise.withResolvers<void>();

afterEach(() => {
  order.length = 0;
  gate = Promise.withResolvers();
});

/** A connection that opens late and must outlive the attempts. */
@Injectable()
class Database implements OnModuleInit, OnModuleDestroy {
  isOpen = false;

  async onModuleInit(): Promise<void> {
    await new Promise((resolve) => setImmediate(resolve));
    this.isOpen = true;
    order.push('database open');
  }

  onModuleDestroy(): void {
    this.isOpen = false;
    order.push('database closed');
  }
}

@Controller('work')
class WorkController {
  readonly database: Database;

  constructor(database: Database) {
    this.database = database;
  }

  @Durable()
  @Post('quick')
  quick(): object {
    return { isOpen: this.database.isOpen };
  }

  @Durable()
  @Post('slow')
  async slow(@DurableContext() { signal }: AttemptContext): Promise<object> {
    order.push('started');
    await Promise.race([
      gate.promise,
      new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason))),
    ]);
    order.push(`done, database ${this.database.isOpen ? 'open' : 'closed'}`);
    return { isOpen: this.database.isOpen };
  }

  @Durable({ retries: 0 })
  @Post('broken')
  broken(): never {
    throw new Error('It broke.');
  }
}

@Module({ controllers: [WorkController], providers: [Database], exports: [Database] })
class WorkModule {}

function rootOf(durableApi: DynamicModule) {
  @Module({ imports: [WorkModule, durableApi] })
  class RootModule {}
  return RootModule;
}

/** Opens an SSE stream, and tells when its head is there and how it ended. */
function observe(url: string): { opened: Promise<void>; ended: Promise<string> } {
  const opened = Promise.withResolvers<void>();
  const ended = Promise.withResolvers<string>();
  const sent = request(url, { headers: { accept: 'text/event-stream' }, agent: false });
  sent.on('response', (response) => {
    let text = '';
    response.on('data', (chunk) => {
      text += String(chunk);
      opened.resolve();
    });
    response.on('end', () => ended.resolve(text));
    response.on('error', ended.reject);
  });
  sent.on('error', (error) => {
    opened.reject(error);
    ended.reject(error);
  });
  sent.end();
  return { opened: opened.promise, ended: ended.promise };
}

/** Keeps what is logged. */
class KeepingLogger implements LoggerService {
  readonly lines: string[] = [];
  readonly log = (message: unknown, ...rest: unknown[]): void => this.#keep('log', message, rest);
  readonly warn = (message: unknown, ...rest: unknown[]): void => this.#keep('warn', message, rest);
  readonly error = (message: unknown, ...rest: unknown[]): void =>
    this.#keep('error', message, rest);

  #keep(level: string, message: unknown, rest: unknown[]): void {
    this.lines.push([level, message, ...rest].join(' | '));
  }
}

for (const platform of PLATFORMS) {
  describe(`an app on ${platform}`, () => {
    it('closes within 500 ms with 100 open observers, and asks each to come back', async () => {
      const options = {
        store: memoryStore(),
        shutdownGraceMs: 0,
        limits: { maxObserversPerIntent: 200 },
      };
      const app = await createApp(platform, rootOf(DurableApiModule.forRoot(options)));
      const client = new Client(await listen(app));
      const links = await client.submit('/work/slow');
      const streams = Array.from({ length: 100 }, () => observe(client.origin + links.events));
      await Promise.all(streams.map(({ opened }) => opened));
      const from = performance.now();
      await app.close();
      const took = performance.now() - from;
      for (const text of await Promise.all(streams.map(({ ended }) => ended))) {
        expect(text.match(/^retry: \d{4,}$/gm)?.length).toBeGreaterThanOrEqual(2);
      }
      expect(took).toBeLessThan(500);
    });

    it('starts attempts after its providers are initialised, and drains before they are taken down', async () => {
      const data = memoryData();
      const before = await createApp(
        platform,
        rootOf(DurableApiModule.forRoot({ store: memoryStore(data), worker: false })),
      );
      const left = await new Client(await listen(before)).submit('/work/slow');
      await before.close();
      order.length = 0;
      const app = await createApp(
        platform,
        rootOf(DurableApiModule.forRoot({ store: memoryStore(data) })),
      );
      const client = new Client(await listen(app));
      await expect.poll(() => order).toContain('started');
      expect(order).toEqual(['database open', 'started']);
      const closing = app.close();
      setImmediate(() => gate.resolve());
      await closing;
      expect(order.slice(2)).toEqual(['done, database open', 'database closed']);
      const after = await createApp(
        platform,
        rootOf(DurableApiModule.forRoot({ store: memoryStore(data), worker: false })),
      );
      const again = new Client(await listen(after));
      expect(await (await again.send('GET', left.result)).json()).toEqual({ isOpen: true });
      expect(client.origin).not.toBe('');
      await after.close();
    });

    it('is configured by a factory with what it injects', async () => {
      @Module({
        providers: [{ provide: 'STORE', useFactory: async () => memoryStore() }],
        exports: ['STORE'],
      })
      class StoreModule {}
      const durableApi = DurableApiModule.forRootAsync({
        imports: [StoreModule],
        inject: ['STORE'],
        useFactory: (store: ReturnType<typeof memoryStore>) => ({ store }),
      });
      const app = await createApp(platform, rootOf(durableApi));
      const client = new Client(await listen(app));
      expect(await (await client.result('/work/quick')).json()).toEqual({ isOpen: true });
      await app.close();
    });
  });
}

describe('a testing module', () => {
  for (const platform of PLATFORMS) {
    it(`has the durable methods of its controllers on ${platform}`, async () => {
      const testing = await Test.createTestingModule({
        imports: [rootOf(DurableApiModule.forRoot({ store: memoryStore() }))],
      }).compile();
      const app = testing.createNestApplication(adapterOf(platform), { logger: false });
      const client = new Client(await listen(app));
      expect(await (await client.result('/work/quick')).json()).toEqual({ isOpen: true });
      await app.close();
    });
  }
});

describe('a process without HTTP', () => {
  it('works on what another has stored', async () => {
    const data = memoryData();
    const front = await createApp(
      'express',
      rootOf(DurableApiModule.forRoot({ store: memoryStore(data), worker: false })),
    );
    const client = new Client(await listen(front));
    const links = await client.submit('/work/quick');
    const worker = await NestFactory.createApplicationContext(
      rootOf(DurableApiModule.forRoot({ store: memoryStore(data) })),
      { logger: false },
    );
    await expect.poll(async () => (await client.send('GET', links.result)).status).toBe(201);
    expect(await (await client.send('GET', links.result)).json()).toEqual({ isOpen: true });
    await worker.close();
    await front.close();
  });
});

describe('the log', () => {
  it('is Nest’s', async () => {
    const logger = new KeepingLogger();
    const app = await createApp(
      'express',
      rootOf(DurableApiModule.forRoot({ store: memoryStore() })),
      { logger },
    );
    const client = new Client(await listen(app));
    await client.ended(await client.submit('/work/broken'));
    await app.close();
    Logger.overrideLogger(false);
    const line = logger.lines.find((one) => one.includes('An attempt failed'));
    expect(line).toMatch(/^error \| An attempt failed \(It broke\., intentId=.*\| DurableApi$/s);
    expect(line).toContain('operation=WorkController.broken');
    expect(line, 'with the stack').toContain('lifecycle.test.ts');
  });
});

describe('enableShutdownHooks', () => {
  it('has the app drained by a signal', async () => {
    const app = await createApp(
      'express',
      rootOf(DurableApiModule.forRoot({ store: memoryStore(), shutdownGraceMs: 20_000 })),
    );
    const killed = Promise.withResolvers<string>();
    const kill = process.kill.bind(process);
    process.kill = (_pid, signal) => {
      killed.resolve(String(signal));
      return true;
    };
    try {
      app.enableShutdownHooks(['SIGTERM']);
      const client = new Client(await listen(app));
      const links = await client.submit('/work/slow');
      const stream = observe(client.origin + links.events);
      await stream.opened;
      const service = app.get(DurableApiService);
      process.emit('SIGTERM', 'SIGTERM');
      await stream.ended;
      expect(order).toEqual(['database open', 'started']);
      gate.resolve();
      expect(await killed.promise).toBe('SIGTERM');
      expect(order).toContain('done, database open');
      await expect(service.get(links.id)).rejects.toMatchObject({ code: 'stopping' });
    } finally {
      process.kill = kill;
    }
  });
});
