import { gatewayConformance } from '@durable-api/conformance';
import { memoryStore } from '@durable-api/core';
import { gateway } from '@durable-api/gateway';
import { Body, Controller, Module, Post } from '@nestjs/common';
import { describe, expect, it } from 'vitest';
import { Durable, DurableApiModule, DurableApiService } from '../src/index.ts';
import { createApp, listen, PLATFORMS } from './support/app.ts';
import { onNest } from './support/on-nest.ts';

gatewayConformance('Nest on express, in memory,', onNest('express'));

@Controller('reports')
class ReportsController {
  @Durable({ agent: 'agent://acme/production/report-service' })
  @Post()
  generate(@Body() { quarter }: { quarter: string }) {
    return { quarter, from: 'Nest' };
  }
}

describe.each(PLATFORMS)('a method on %s whose work an agent does', (platform) => {
  it('gives it what it returns, and answers what it hands in', async () => {
    @Module({
      imports: [DurableApiModule.forRoot({ store: memoryStore() })],
      controllers: [ReportsController],
    })
    class AppModule {}

    const app = await createApp(platform, AppModule);
    app.use(gateway(app.get(DurableApiService), { open: true }));
    const url = await listen(app);
    try {
      const send = (path: string, body: object) =>
        fetch(url + path, {
          method: 'POST',
          headers: { 'content-type': 'application/json' },
          body: JSON.stringify(body),
        });
      const submitted = await send('/reports', { quarter: 'Q3' });
      expect(submitted.status).toBe(202);
      const agent = '/v1/agents/acme/production/report-service';
      const sent = await (await fetch(`${url}${agent}/intents/stream?wait_seconds=20`)).text();
      expect(sent).toContain('"payload":{"quarter":"Q3","from":"Nest"}');
      const [, id] = /"intent_id":"([^"]*)"/.exec(sent) ?? [];
      await send(`/v1/intents/${id}/resume`, { rows: 3 });
      const location = new URL(String(submitted.headers.get('location')), url);
      const result = async (): Promise<unknown> => (await fetch(`${location.href}/result`)).json();
      await expect.poll(result).toEqual({ rows: 3 });
    } finally {
      await app.close();
    }
  });
});
