import { Controller, Header, Post } from '@nestjs/common';
import { describe, expect, it } from 'vitest';
import { Durable } from '../src/index.ts';
import { PLATFORMS } from './support/app.ts';
import { serve } from './support/serve.ts';

let gate = Promise.withResolvers<void>();

@Controller()
class StreamingController {
  @Durable()
  @Post('words')
  async *words(): AsyncGenerator<string> {
    yield 'Hello, ';
    await gate.promise;
    yield 'wörld';
  }

  @Durable()
  @Post('rows')
  @Header('content-type', 'application/vnd.rows')
  async *rows(): AsyncGenerator<object> {
    yield { n: 1 };
    yield { n: 2 };
  }

  @Durable()
  @Post('bytes')
  async bytes(): Promise<ReadableStream<Uint8Array>> {
    return new Blob(['ab', 'cd']).stream();
  }

  @Durable({ retries: 0 })
  @Post('large')
  async *large(): AsyncGenerator<string> {
    for (;;) yield 'x'.repeat(1_000);
  }
}

for (const platform of PLATFORMS) {
  describe(`what a durable method on ${platform} gives bit by bit`, () => {
    it('is shown as it comes, and is the result', async () => {
      gate = Promise.withResolvers();
      const client = await serve(platform, { controllers: [StreamingController] });
      const links = await client.submit('/words');
      const output = await client.send('GET', `${links.self}/output`);
      expect(output.headers.get('content-type')).toBe('text/plain; charset=utf-8');
      const reader = output.body?.pipeThrough(new TextDecoderStream()).getReader();
      expect((await reader?.read())?.value).toBe('Hello, ');
      gate.resolve();
      let rest = '';
      for (let next = await reader?.read(); next?.done === false; next = await reader?.read())
        rest += next.value;
      expect(rest).toBe('wörld');
      const result = await client.send('GET', links.result);
      expect(result.headers.get('content-type')).toBe('text/plain; charset=utf-8');
      expect(await result.text()).toBe('Hello, wörld');
    });

    it('is lines of JSON, or bytes, of the type that it declares or has', async () => {
      const client = await serve(platform, { controllers: [StreamingController] });
      const rows = await client.result('/rows');
      expect(rows.headers.get('content-type')).toMatch(/^application\/vnd\.rows/);
      expect(await rows.text()).toBe('{"n":1}\n{"n":2}\n');
      const bytes = await client.result('/bytes');
      expect(bytes.headers.get('content-type')).toBe('application/octet-stream');
      expect(await bytes.text()).toBe('abcd');
    });

    it('fails when it is too much', async () => {
      const options = { limits: { maxResultBytes: 10_000 } };
      const client = await serve(platform, { controllers: [StreamingController], options });
      const response = await client.result('/large');
      expect(await response.json()).toMatchObject({ error: { code: 'result_too_large' } });
    });
  });
}
