import {
  Body,
  Controller,
  createParamDecorator,
  Get,
  Header,
  Headers,
  Injectable,
  Module,
  Next,
  Post,
  Redirect,
  Render,
  Req,
  Res,
  Session,
  Sse,
  UploadedFile,
  type Type,
} from '@nestjs/common';
import { EMPTY, type Observable } from 'rxjs';
import { describe, expect, it } from 'vitest';
import { Durable, DurableApiModule, memoryStore } from '../src/index.ts';
import { createApp } from './support/app.ts';
import { rootModule } from './support/serve.ts';

const Custom = createParamDecorator(() => 1);

/** A decorator that replaces the method and loses what was said of it. */
const Traced: MethodDecorator = (_target, _key, descriptor) => {
  const original: unknown = descriptor.value;
  const traced = (...values: unknown[]): unknown => Reflect.apply(Object(original), null, values);
  Object.assign(descriptor, { value: traced });
};

@Controller()
class Requests {
  @Durable()
  @Post()
  run(@Req() request: unknown): unknown {
    return request;
  }
}

@Controller()
class Responses {
  @Durable()
  @Post()
  run(@Res({ passthrough: true }) response: unknown): unknown {
    return response;
  }
}

@Controller()
class Nexts {
  @Durable()
  @Post()
  run(@Next() next: unknown): unknown {
    return next;
  }
}

@Controller()
class Files {
  @Durable()
  @Post()
  run(@UploadedFile() file: unknown): unknown {
    return file;
  }
}

@Controller()
class Sessions {
  @Durable()
  @Post()
  run(@Session() session: unknown): unknown {
    return session;
  }
}

@Controller()
class AllHeaders {
  @Durable()
  @Post()
  run(@Headers() headers: unknown): unknown {
    return headers;
  }
}

@Controller()
class Secrets {
  @Durable()
  @Post()
  run(@Headers('Authorization') secret: unknown): unknown {
    return secret;
  }
}

@Controller()
class Customs {
  @Durable()
  @Post()
  run(@Custom() value: unknown): unknown {
    return value;
  }
}

@Controller()
class Gets {
  @Durable()
  @Get()
  run(): unknown {
    return {};
  }
}

@Controller()
class NoRoute {
  @Durable()
  run(): unknown {
    return {};
  }
}

@Controller()
class Replaced {
  @Durable()
  @Traced
  @Post()
  run(): unknown {
    return {};
  }
}

@Controller()
class Patterns {
  @Durable()
  @Post('files/*path')
  run(): unknown {
    return {};
  }
}

@Controller()
class Streams {
  @Durable()
  @Post()
  @Sse('events')
  run(): Observable<never> {
    return EMPTY;
  }
}

@Controller()
class Renders {
  @Durable()
  @Render('page')
  @Post()
  run(): unknown {
    return {};
  }
}

@Controller()
class Redirects {
  @Durable()
  @Redirect('/elsewhere')
  @Post()
  run(): unknown {
    return {};
  }
}

@Controller()
class Cookies {
  @Durable()
  @Header('Set-Cookie', 'sid=1')
  @Post()
  run(): unknown {
    return {};
  }
}

@Controller()
class NameTaken {
  @Durable()
  @Post()
  run(@Body() body: unknown): unknown {
    return body;
  }

  @Get('status')
  runIntentStatus(): string {
    return 'mine';
  }
}

@Injectable()
class NoController {
  @Durable()
  run(): unknown {
    return {};
  }
}

@Controller()
class Fine {
  @Durable()
  @Post()
  run(): unknown {
    return { is: 'fine' };
  }
}

@Controller('other')
class SameName {
  @Durable({ name: 'Fine.run' })
  @Post()
  run(): unknown {
    return {};
  }
}

const REFUSED: readonly [what: string, type: Type<unknown>, message: RegExp][] = [
  ['@Req()', Requests, /Requests\.run: @Req\(\) is gone when the method runs\. Take @Body\(\)/],
  ['@Res()', Responses, /Responses\.run: @Res\(\) is gone .*Return the result/],
  ['@Next()', Nexts, /@Next\(\) is gone/],
  ['@UploadedFile()', Files, /@UploadedFile\(\) is gone .*pass a reference/],
  ['@Session()', Sessions, /@Session\(\) is gone/],
  ['@Headers() without a name', AllHeaders, /takes all headers.*@Headers\("x-name"\)/],
  ['a secret header', Secrets, /Authorization is a secret/],
  ['a custom decorator', Customs, /storeCustomParameters: true/],
  ['another verb than POST', Gets, /only a @Post\(\) route can be durable/],
  ['a method that is no route', NoRoute, /it is no route\. Add @Post\(\)/],
  ['a method that lost its metadata', Replaced, /another decorator replaces the method/],
  ['a path with a pattern', Patterns, /"files\/\*path" has a pattern/],
  ['@Sse()', Streams, /Streams\.run: (@Sse\(\)|only a @Post\(\))/],
  ['@Render()', Renders, /@Render\(\) answers the request itself/],
  ['@Redirect()', Redirects, /@Redirect\(\) answers the request itself/],
  ['a cookie', Cookies, /it sets no cookie/],
  ['a class whose method has the name of a route', NameTaken, /need the name runIntentStatus/],
];

async function start(type: Type<unknown>): Promise<void> {
  const app = await createApp('express', rootModule({ controllers: [type] }));
  try {
    await app.init();
  } finally {
    await app.close();
  }
}

describe('an app does not boot', () => {
  for (const [what, type, message] of REFUSED) {
    it(`when a durable method has ${what}, and says what to do`, async () => {
      await expect(start(type)).rejects.toThrow(message);
      await expect(start(type)).rejects.toMatchObject({ code: 'mount_invalid' });
    });
  }

  it('when the durable method is none of a controller', async () => {
    const root = rootModule({ controllers: [], providers: [NoController] });
    await expect(createApp('express', root)).rejects.toThrow(/NoController\.run: .*@Controller/);
  });

  it('when DurableApiModule is not imported, and names it', async () => {
    @Module({ controllers: [Fine] })
    class RootModule {}
    await expect(createApp('express', RootModule)).rejects.toThrow(/DurableApiModule\.forRoot\(\)/);
  });

  it('when an option is wrong, and names it', async () => {
    const options = { store: memoryStore(), concurency: 3 };
    @Module({ imports: [DurableApiModule.forRoot(options)], controllers: [Fine] })
    class RootModule {}
    await expect(createApp('express', RootModule)).rejects.toThrow(/concurency/);
  });

  it('when two operations have one name', async () => {
    const app = await createApp('express', rootModule({ controllers: [Fine, SameName] }));
    await expect(app.init()).rejects.toMatchObject({ code: 'operation_duplicate' });
    await app.close();
  });
});

describe('a durable method', () => {
  it('is the method that it was for who calls it', () => {
    expect(new Fine().run()).toEqual({ is: 'fine' });
  });

  it('is that still in an app', async () => {
    const app = await createApp('express', rootModule({ controllers: [Fine] }));
    await app.init();
    expect(app.get(Fine).run()).toEqual({ is: 'fine' });
    expect(Reflect.get(app.get(Fine), 'run').name).toBe('run');
    await app.close();
  });
});
