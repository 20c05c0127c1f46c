import { Body, Controller, Param, ParseIntPipe, Post } from '@nestjs/common';
import { describe, expect, it } from 'vitest';
import { Durable, DurableContext, operationOf, type AttemptContext } from '../src/index.ts';
import { PLATFORMS } from './support/app.ts';
import { serve } from './support/serve.ts';

@Controller('pictures')
class PicturesController {
  @Durable()
  @Post(':id')
  async resize(
    @Param('id', ParseIntPipe) id: number,
    @Body() body: { readonly width: number },
  ): Promise<{ readonly id: number; readonly width: number }> {
    return { id, width: body.width };
  }

  @Durable({ name: 'pictures.crop' })
  @Post(':id/crop')
  crop(): string {
    return 'cropped';
  }
}

@Controller('albums')
class AlbumsController {
  @Durable()
  @Post()
  async create(@DurableContext() { start }: AttemptContext): Promise<object> {
    const resize = operationOf(PicturesController, 'resize');
    const child = await start(resize, { width: 100 }, { params: { id: '7' } });
    const { id, width } = await child.result();
    const cropped = await start(operationOf(PicturesController, 'crop'), undefined);
    const named = await start<string>('pictures.crop');
    const wrong = await start(resize, {}, { params: { id: 'seven' } });
    const error = await wrong.result().catch((thrown: Error & { code: string }) => thrown.code);
    return { id, width, texts: [await cropped.result(), await named.result()], error };
  }
}

for (const platform of PLATFORMS) {
  describe(`a child of a durable method on ${platform}`, () => {
    it('is started by its method, whose types it has, and whose pipes run', async () => {
      const client = await serve(platform, { controllers: [PicturesController, AlbumsController] });
      const response = await client.result('/albums');
      expect(await response.json()).toEqual({
        id: 7,
        width: 100,
        texts: ['cropped', 'cropped'],
        error: 'child_refused',
      });
    });
  });
}

describe('operationOf', () => {
  it('refuses a method that is not durable', () => {
    class Plain {
      run(): void {}
    }
    expect(() => operationOf(Plain, 'run')).toThrow('Plain.run does not bear @Durable().');
  });
});
