import { Readable } from 'node:stream';
import {
  BadRequestException,
  Controller,
  ConflictException,
  Header,
  HttpCode,
  HttpException,
  InternalServerErrorException,
  Post,
  StreamableFile,
  Get,
} from '@nestjs/common';
import { from, of, type Observable } from 'rxjs';
import { describe, expect, it } from 'vitest';
import { Durable } from '../src/index.ts';
import { PLATFORMS } from './support/app.ts';
import { serve } from './support/serve.ts';

let attempts = 0;

/** What Nest answers for each of these must be what the result is. */
@Controller('plain')
class PlainController {
  @Post('object')
  object(): object {
    return { a: [1, null], b: 'ü' };
  }

  @Post('list')
  list(): number[] {
    return [1, 2];
  }

  @Post('text')
  text(): string {
    return '<b>ü</b>';
  }

  @Post('number')
  number(): number {
    return 42;
  }

  @Post('nothing')
  nothing(): void {}

  @Post('promise')
  async promise(): Promise<object> {
    return { is: 'promised' };
  }

  @Post('observable')
  observable(): Observable<number> {
    return from([1, 2, 3]);
  }

  @Post('promised-observable')
  async promisedObservable(): Promise<object> {
    return of({ is: 'both' });
  }

  @HttpCode(207)
  @Header('X-Report', 'r7')
  @Header('Content-Type', 'text/csv')
  @Post('csv')
  csv(): string {
    return 'a,b\n';
  }

  @Post('file')
  file(): StreamableFile {
    return new StreamableFile(Readable.from([Buffer.from([0, 1]), Buffer.from([255])]), {
      type: 'application/pdf',
      disposition: 'attachment; filename="r.pdf"',
    });
  }

  @Post('refused')
  refused(): never {
    throw new BadRequestException(['quarter must be one of Q1 to Q4']);
  }

  @Post('conflict')
  @Header('X-Report', 'r7')
  conflict(): never {
    throw new ConflictException();
  }

  @Post('teapot')
  teapot(): never {
    throw new HttpException({ tea: 'pot' }, 418);
  }

  @Post('coded')
  coded(): never {
    throw Object.assign(new Error('Gone for good.'), {
      statusCode: 410,
      status: 410,
      expose: true,
    });
  }
}

/** The same methods, durable. */
@Controller('durable')
class DurableController extends PlainController {}

for (const name of Object.getOwnPropertyNames(PlainController.prototype)) {
  if (name === 'constructor') continue;
  const method = Object.getOwnPropertyDescriptor(PlainController.prototype, name)!;
  const original: () => unknown = method.value;
  const own = function (this: unknown): unknown {
    return original.apply(this);
  };
  for (const key of Reflect.getMetadataKeys(original)) {
    Reflect.defineMetadata(key, Reflect.getMetadata(key, original), own);
  }
  Object.defineProperty(DurableController.prototype, name, { ...method, value: own });
  Durable()(DurableController.prototype, name, { ...method, value: own });
}

@Controller('failing')
class FailingController {
  @Durable({ retries: 2 })
  @Post()
  run(): object {
    attempts += 1;
    if (attempts < 3) throw new InternalServerErrorException('The printer burns.');
    return { attempts };
  }

  @Durable({ retries: 0 })
  @Post('hopeless')
  hopeless(): never {
    throw new InternalServerErrorException('The printer burns.');
  }

  @Get()
  count(): number {
    return attempts;
  }
}

const COMPARED = ['content-type', 'content-disposition', 'x-report'];

for (const platform of PLATFORMS) {
  describe(`the result of a durable method on ${platform}`, () => {
    const paths = Object.getOwnPropertyNames(PlainController.prototype)
      .filter((name) => name !== 'constructor')
      .map((name) => name.replace(/[A-Z]/, (letter) => `-${letter.toLowerCase()}`));

    for (const path of paths) {
      it(`is what Nest answers without it: ${path}`, async () => {
        const client = await serve(platform, {
          controllers: [PlainController, DurableController],
        });
        const plain = await client.send('POST', `/plain/${path}`, {});
        const durable = await client.result(`/durable/${path}`);
        expect(durable.headers.get('intent-id')).not.toBeNull();
        expect(durable.status).toBe(plain.status);
        expect(Buffer.from(await durable.arrayBuffer())).toEqual(
          Buffer.from(await plain.arrayBuffer()),
        );
        for (const name of COMPARED) {
          expect(durable.headers.get(name), name).toBe(plain.headers.get(name));
        }
      });
    }

    it('has the headers that the method declares, and the submit has not', async () => {
      const client = await serve(platform, { controllers: [DurableController] });
      const submit = await client.send('POST', '/durable/csv', {});
      expect(submit.status).toBe(202);
      expect(submit.headers.get('x-report')).toBeNull();
      expect(submit.headers.get('content-type')).toMatch(/^application\/json/);
    });

    it('follows failed attempts when the method throws a 5xx', async () => {
      const client = await serve(platform, { controllers: [FailingController] });
      attempts = 0;
      const links = await client.submit('/failing');
      expect(await client.ended(links)).toMatchObject({ status: 'COMPLETED', attempt: 3 });
      expect(await (await client.send('GET', links.result)).json()).toEqual({ attempts: 3 });
    });

    it('is a failure when the last attempt throws a 5xx', async () => {
      const client = await serve(platform, { controllers: [FailingController] });
      const response = await client.result('/failing/hopeless');
      expect(response.status).toBe(500);
      expect(await response.json()).toMatchObject({
        code: 'intent_failed',
        error: { code: 'handler_error', message: 'The printer burns.' },
      });
    });
  });
}
