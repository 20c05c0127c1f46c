import { Body, Controller, Param, Post } from '@nestjs/common';
import {
  ApiBearerAuth,
  ApiCreatedResponse,
  ApiProperty,
  ApiTags,
  DocumentBuilder,
  SwaggerModule,
  type OpenAPIObject,
} from '@nestjs/swagger';
import { describe, expect, it } from 'vitest';
import { Durable } from '../src/index.ts';
import { createApp, PLATFORMS, type PlatformName } from './support/app.ts';
import { rootModule } from './support/serve.ts';

class GenerateReport {
  @ApiProperty()
  quarter!: string;
}

class Report {
  @ApiProperty()
  rows!: number;
}

@ApiTags('reports')
@Controller('tenants/:tenant/reports')
class ReportsController {
  @ApiBearerAuth()
  @ApiCreatedResponse({ type: Report, description: 'The report.' })
  @Durable()
  @Post('generate')
  generate(@Param('tenant') _tenant: string, @Body() _body: GenerateReport): Report {
    return { rows: 1 };
  }
}

const PATH = '/api/tenants/{tenant}/reports/generate';

async function describeApp(platform: PlatformName): Promise<OpenAPIObject> {
  const app = await createApp(platform, rootModule({ controllers: [ReportsController] }));
  app.setGlobalPrefix('api');
  const document = SwaggerModule.createDocument(app, new DocumentBuilder().build());
  await app.init();
  await app.close();
  return document;
}

/** What a path takes: `path tenant`, `query since`. */
function parametersOf(operation: { parameters?: unknown } | undefined): string[] {
  const parameters: unknown = operation?.parameters;
  return (Array.isArray(parameters) ? parameters : []).map(({ in: at, name }) => `${at} ${name}`);
}

for (const platform of PLATFORMS) {
  describe(`@nestjs/swagger on ${platform}`, () => {
    it('documents the routes of an intent and hides those that only refuse', async () => {
      const { paths } = await describeApp(platform);
      const methods = Object.fromEntries(
        Object.entries(paths).map(([path, item]) => [path, Object.keys(item).sort()]),
      );
      expect(methods).toEqual({
        [PATH]: ['post'],
        [`${PATH}/{intent_id}`]: ['delete', 'get'],
        [`${PATH}/{intent_id}/events`]: ['get'],
        [`${PATH}/{intent_id}/result`]: ['get'],
        [`${PATH}/{intent_id}/cancel`]: ['post'],
        [`${PATH}/{intent_id}/retry`]: ['post'],
        [`${PATH}/{intent_id}/output`]: ['get'],
        [`${PATH}/{intent_id}/signals/{signal_name}`]: ['post'],
      });
    });

    it('documents the 202 beside what the method documents, and its body', async () => {
      const { paths, components } = await describeApp(platform);
      const submit = paths[PATH]?.post;
      expect(submit?.requestBody).toMatchObject({
        content: {
          'application/json': { schema: { $ref: '#/components/schemas/GenerateReport' } },
        },
      });
      expect(submit?.responses).toMatchObject({
        201: { description: 'The report.' },
        202: {
          content: {
            'application/json': { schema: { required: expect.arrayContaining(['links']) } },
          },
        },
      });
      expect(parametersOf(submit)).toEqual([
        'path tenant',
        'header Idempotency-Key',
        'header Prefer',
      ]);
      expect(Object.keys(components?.schemas ?? {})).toEqual(
        expect.arrayContaining(['GenerateReport', 'Report']),
      );
    });

    it('documents what the routes of an intent take and answer, under the security of the method', async () => {
      const { paths } = await describeApp(platform);
      const status = paths[`${PATH}/{intent_id}`]?.get;
      const events = paths[`${PATH}/{intent_id}/events`]?.get;
      const result = paths[`${PATH}/{intent_id}/result`]?.get;
      const cancel = paths[`${PATH}/{intent_id}/cancel`]?.post;
      for (const operation of [status, events, result, cancel]) {
        expect(parametersOf(operation).slice(0, 2)).toEqual(['path tenant', 'path intent_id']);
        expect(operation?.security).toEqual([{ bearer: [] }]);
        expect(operation?.tags).toEqual(['reports']);
        expect(operation?.requestBody).toBeUndefined();
        expect(operation?.responses).toHaveProperty('4XX');
      }
      expect(parametersOf(events).slice(2)).toEqual(['query since', 'query wait_seconds']);
      expect(Object.keys(Object(events?.responses[200]).content)).toEqual([
        'text/event-stream',
        'application/json',
      ]);
      expect(result?.responses[201]).toMatchObject({ description: 'The report.' });
      expect(Object.keys(cancel?.responses ?? {})).toEqual(expect.arrayContaining(['200', '202']));
    });
  });
}
