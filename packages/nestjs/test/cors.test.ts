import { Controller, Post } from '@nestjs/common';
import { describe, expect, it } from 'vitest';
import { Durable } from '../src/index.ts';
import { PLATFORMS } from './support/app.ts';
import { serve } from './support/serve.ts';

@Controller('reports')
class ReportsController {
  @Durable()
  @Post()
  run(): object {
    return { done: true };
  }
}

for (const platform of PLATFORMS) {
  describe(`an app with CORS on ${platform}`, () => {
    it('answers a browser of another origin on every route, streams too', async () => {
      const client = await serve(platform, {
        controllers: [ReportsController],
        prepare: (app) => app.enableCors({ origin: ['http://shop.example'] }),
      });
      const foreign = client.as({ origin: 'http://shop.example' });
      const submit = await foreign.send('POST', '/reports', {});
      const links = await foreign.submit('/reports');
      await foreign.ended(links);
      const stream = await foreign.send('GET', links.events, undefined, {
        accept: 'text/event-stream',
      });
      expect(await stream.text()).toContain('event: intent.completed');
      const result = await foreign.send('GET', links.result);
      for (const response of [submit, stream, result]) {
        expect(response.headers.get('access-control-allow-origin')).toBe('http://shop.example');
        expect(response.headers.get('vary')).toContain('Origin');
      }
      expect(stream.headers.get('vary')).toContain('Accept');
    });
  });
}
