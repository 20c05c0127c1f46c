import type { IncomingHttpHeaders } from 'node:http';
import type { Status } from '@durable-api/protocol';
import { Agent } from 'undici';
import { expect, expectTypeOf, test } from 'vitest';
import { z } from 'zod';
import { DurableClient, type InputOf, type Operation, type ResultOf } from '../src/index.ts';

interface ReportRequest {
  readonly quarter: 'Q1' | 'Q2';
}
interface Report {
  readonly pages: number;
}

/** As Express types a request and a response. */
interface ExpressRequest<Body> {
  readonly headers: IncomingHttpHeaders;
  body: Body;
}
interface ExpressResponse<Body> {
  json(body?: Body): this;
}

const client = new DurableClient('http://localhost:3000');

test('a handler that returns its result types both ends', async () => {
  type Handler = (request: ExpressRequest<ReportRequest>) => Promise<Report>;
  expectTypeOf<InputOf<Handler>>().toEqualTypeOf<ReportRequest>();
  expectTypeOf<ResultOf<Handler>>().toEqualTypeOf<Report>();
  const report = await client.submit<Handler>('/reports', { quarter: 'Q1' });
  expectTypeOf(report).toEqualTypeOf<Operation<Report>>();
  expectTypeOf(await report.result()).toEqualTypeOf<Report>();
  // @ts-expect-error: there is no such quarter
  await client.submit<Handler>('/reports', { quarter: 'Q5' });
});

test('an Express handler is typed by its request’s and its response’s body', () => {
  type Handler = (
    req: ExpressRequest<ReportRequest>,
    res: ExpressResponse<Report>,
  ) => Promise<void> | void;
  expectTypeOf<InputOf<Handler>>().toEqualTypeOf<ReportRequest>();
  expectTypeOf<ResultOf<Handler>>().toEqualTypeOf<Report>();
});

test('a controller’s method takes the body itself', () => {
  type Handler = (body: ReportRequest) => Report;
  expectTypeOf<InputOf<Handler>>().toEqualTypeOf<ReportRequest>();
  expectTypeOf<ResultOf<Handler>>().toEqualTypeOf<Report>();
});

test('a shared operation type names input and result', async () => {
  interface GenerateReport {
    readonly input: ReportRequest;
    readonly result: Report;
  }
  const report = await client.submit<GenerateReport>('/reports', { quarter: 'Q2' });
  expectTypeOf(report).toEqualTypeOf<Operation<Report>>();
  expectTypeOf(client.operation<GenerateReport>(report.url)).toEqualTypeOf<Operation<Report>>();
  // @ts-expect-error: the quarter is missing
  await client.submit<GenerateReport>('/reports', {});
});

test('shared zod schemas do, too', () => {
  const generateReport = {
    input: z.object({ quarter: z.enum(['Q1', 'Q2']).default('Q1') }),
    result: z.object({ pages: z.string().transform(Number) }),
  };
  expectTypeOf<InputOf<typeof generateReport>>().toEqualTypeOf<{
    quarter?: 'Q1' | 'Q2' | undefined;
  }>();
  expectTypeOf<ResultOf<typeof generateReport>>().toEqualTypeOf<{ pages: number }>();
});

test('a schema for the result types it without a type argument', async () => {
  const result = z.object({ pages: z.number() });
  const report = await client.submit('/reports', { quarter: 'Q1' }, { result });
  expectTypeOf(report).toEqualTypeOf<Operation<{ pages: number }>>();
  expectTypeOf(client.operation('/reports/id', { result })).toEqualTypeOf<
    Operation<{ pages: number }>
  >();
});

test('without any of these the result is unknown', async () => {
  const report = await client.submit('/reports', { anything: true });
  expectTypeOf(report).toEqualTypeOf<Operation>();
  expectTypeOf(await report.result()).toBeUnknown();
});

test('events are typed as the wire is', async () => {
  const report = await client.submit('/reports', {});
  for await (const event of report.observe()) {
    expectTypeOf(event.seq).toBeNumber();
    expectTypeOf(event.status).toEqualTypeOf<Status>();
  }
});

test('headers are an object, a function or an async function; a dispatcher is undici’s', () => {
  expectTypeOf(DurableClient).toBeConstructibleWith('http://x', { headers: { a: 'b' } });
  expectTypeOf(DurableClient).toBeConstructibleWith('http://x', { headers: () => ({ a: 'b' }) });
  expectTypeOf(DurableClient).toBeConstructibleWith('http://x', { headers: async () => ({}) });
  expectTypeOf(DurableClient).toBeConstructibleWith('http://x', { dispatcher: new Agent() });
  expectTypeOf(DurableClient).toBeConstructibleWith(new URL('http://x'), { fetch });
  // @ts-expect-error: there is no such option
  expect(() => new DurableClient('http://x', { header: {} })).toThrow();
});
