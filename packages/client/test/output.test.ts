import { expect, it } from 'vitest';
import { DurableClient, type OutputPart } from '../src/index.ts';
import { ApiServer, type Handler } from './api-server.ts';

const start = (report: Handler): Promise<ApiServer> =>
  ApiServer.start({ operations: { report }, options: { random: () => 0 } });

it('gives what the handler puts out, text and bytes, and says what is void', async () => {
  await using server = await start(async (_, { emit, attempt }) => {
    await emit(`attempt ${attempt}`);
    if (attempt === 1) throw new Error('Not now.');
    await emit(Buffer.from([0, 255]));
    return 'done';
  });
  await using client = new DurableClient(server.url);
  const operation = await client.submit('/report', {});
  const parts: OutputPart[] = [];
  for await (const part of operation.output()) parts.push(part);
  expect(parts.map(({ text, isReset }) => [text, isReset]).slice(0, 3)).toEqual([
    ['attempt 1', false],
    ['', true],
    ['attempt 2', false],
  ]);
  expect([...(parts.at(-1)?.bytes ?? [])]).toEqual([0, 255]);
  expect(await operation.result()).toBe('done');
});

it('hands a signal to a handler that waits for it', async () => {
  await using server = await start((_, { waitFor }) => waitFor('approved'));
  await using client = new DurableClient(server.url);
  const operation = await client.submit('/report', {});
  await operation.signal('approved', { by: 'ann' });
  expect(await operation.result()).toEqual({ by: 'ann' });
});
