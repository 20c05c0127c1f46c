import { Body, Controller, Inject, Injectable, Param, ParseIntPipe, Post } from '@nestjs/common';
import { firstValueFrom, take, toArray } from 'rxjs';
import { describe, expect, it, onTestFinished } from 'vitest';
import {
  Durable,
  DurableApiService,
  DurableContext,
  type AttemptContext,
  type DurableApiModuleOptions,
} from '../src/index.ts';
import { createApp, listen, PLATFORMS, type PlatformName } from './support/app.ts';
import { rootModule } from './support/serve.ts';

@Controller('orders/:id')
class OrdersController {
  @Durable()
  @Post('ship')
  async ship(
    @Param('id', ParseIntPipe) id: number,
    @Body() body: object,
    @DurableContext() { progress, owner }: AttemptContext,
  ): Promise<object> {
    progress(0.5);
    return { id, body, owner };
  }

  @Durable({ name: 'orders.wait' })
  @Post('wait')
  wait(@DurableContext() { signal }: AttemptContext): Promise<never> {
    return new Promise((_, reject) => {
      signal.addEventListener('abort', () => reject(signal.reason));
    });
  }
}

/** A provider that submits. */
@Injectable()
class Nightly {
  readonly durable: DurableApiService;

  constructor(@Inject(DurableApiService) durable: DurableApiService) {
    this.durable = durable;
  }
}

async function open(
  platform: PlatformName,
  options: Partial<DurableApiModuleOptions> = {},
): Promise<DurableApiService> {
  const root = rootModule({ controllers: [OrdersController], providers: [Nightly], options });
  const app = await createApp(platform, root);
  await listen(app);
  onTestFinished(() => app.close());
  return app.get(Nightly).durable;
}

const SHIP = 'OrdersController.ship';

for (const platform of PLATFORMS) {
  describe(`DurableApiService on ${platform}`, () => {
    it('submits from code, through the pipes of the method', async () => {
      const service = await open(platform);
      const input = { params: { id: '7' }, body: { fast: true } };
      const { record, isReplayed } = await service.submit(SHIP, input, { owner: 'tenant-a' });
      expect(isReplayed).toBe(false);
      const types: string[] = [];
      for await (const event of service.observe(record.id)) types.push(event.event_type);
      expect(types.at(0)).toBe('intent.created');
      expect(types.at(-1)).toBe('intent.completed');
      const result = await service.result(record.id);
      expect(result?.status).toBe(201);
      expect(JSON.parse(Buffer.from(result?.body ?? '').toString())).toEqual({
        id: 7,
        body: { fast: true },
        owner: 'tenant-a',
      });
    });

    it('gives one intent per idempotency key', async () => {
      const service = await open(platform);
      const submit = () =>
        service.submit(SHIP, { params: { id: '7' } }, { idempotencyKey: 'order-7' });
      const [one, two] = [await submit(), await submit()];
      expect(two).toMatchObject({ isReplayed: true, record: { id: one.record.id } });
    });

    it('gets, lists and cancels, within an owner if one is named', async () => {
      const service = await open(platform);
      const { record } = await service.submit('orders.wait', {}, { owner: 'a' });
      expect(await service.get(record.id, { owner: 'b' })).toBeNull();
      expect(await service.get(record.id, { owner: 'a' })).toMatchObject({ id: record.id });
      expect(await service.list({ owner: 'a', operation: 'orders.wait' })).toHaveLength(1);
      expect(await service.list({ owner: 'b' })).toEqual([]);
      await service.cancel(record.id, { owner: 'a' });
      const last = await firstValueFrom(service.observe$(record.id).pipe(toArray()));
      expect(last.at(-1)?.status).toBe('CANCELED');
      await expect(service.cancel(record.id, { owner: 'b' })).rejects.toMatchObject({
        code: 'intent_not_found',
      });
    });

    it('observes as an Observable, which ends what it holds when it is left', async () => {
      const service = await open(platform);
      const { record } = await service.submit('orders.wait');
      const seqs: number[] = [];
      await new Promise<void>((resolve, reject) => {
        service
          .observe$(record.id, { after: 1 })
          .pipe(take(2))
          .subscribe({
            next: ({ seq }) => seqs.push(seq),
            complete: resolve,
            error: reject,
          });
      });
      expect(seqs).toEqual([2, 3]);
      await service.cancel(record.id);
    });

    it('reports what it does not know', async () => {
      const service = await open(platform);
      await expect(service.submit('Nothing.run')).rejects.toMatchObject({
        code: 'handler_unavailable',
      });
      const unknown = '01890a5d-ac96-774b-bcce-b302099a8057';
      expect(await service.get(unknown)).toBeNull();
      await expect(firstValueFrom(service.observe$(unknown))).rejects.toMatchObject({
        code: 'intent_not_found',
      });
    });
  });
}
