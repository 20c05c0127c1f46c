import {
  ClassSerializerInterceptor,
  Controller,
  Post,
  SerializeOptions,
  UseInterceptors,
} from '@nestjs/common';
import { Reflector } from '@nestjs/core';
import { Exclude, Expose } from 'class-transformer';
import { describe, expect, it } from 'vitest';
import { Durable } from '../src/index.ts';
import { PLATFORMS } from './support/app.ts';
import { serve } from './support/serve.ts';

class User {
  readonly name = 'ada';

  @Exclude()
  readonly password = 'hunter2';

  @Expose({ groups: ['admin'] })
  readonly role = 'owner';
}

@Controller()
class UsersController {
  @Durable()
  @UseInterceptors(ClassSerializerInterceptor)
  @Post('own')
  own(): User {
    return new User();
  }

  @Durable()
  @SerializeOptions({ groups: ['admin'] })
  @Post('app')
  ofApp(): User[] {
    return [new User()];
  }
}

for (const platform of PLATFORMS) {
  describe(`the ClassSerializerInterceptor on ${platform}`, () => {
    it('of a durable method hides in its result and its events what it hides in an answer', async () => {
      const client = await serve(platform, { controllers: [UsersController] });
      const links = await client.submit('/own');
      await client.ended(links);
      expect(await (await client.send('GET', links.result)).json()).toEqual({ name: 'ada' });
      const events = await client.send('GET', links.events, undefined, {
        accept: 'application/json',
      });
      expect(await events.text()).not.toContain('hunter2');
    });

    it('of the app heeds the options of the method', async () => {
      const client = await serve(platform, {
        controllers: [UsersController],
        prepare: (app) =>
          app.useGlobalInterceptors(new ClassSerializerInterceptor(app.get(Reflector))),
      });
      const response = await client.result('/app');
      expect(await response.json()).toEqual([{ name: 'ada', role: 'owner' }]);
    });
  });
}
