import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { expect, it } from 'vitest';

/** Stops while a handler waits for what never comes, so that nothing else keeps the process alive. */
const STOPPING = `
  import { DurableApi, memoryStore } from '@durable-api/core';
  const api = new DurableApi({ store: memoryStore() });
  const started = Promise.withResolvers();
  const run = () => new Promise(() => started.resolve());
  api.declare({ name: 'stuck', run }, {});
  await api.intents.submit('stuck', { body: {} });
  await started.promise;
  await api.stop({ graceMs: 50 });
  console.log('stopped');
`;

/** Observes what begins later, so that nothing but a timer of the engine's is there meanwhile. */
const OBSERVING = `
  import { DurableApi, memoryStore } from '@durable-api/core';
  const api = new DurableApi({ store: memoryStore() });
  api.declare({ name: 'late', run: async () => ({ status: 204, headers: {}, body: new Uint8Array() }) }, {});
  const { record } = await api.intents.submit('late', {}, { startAfterMs: 200 });
  let last;
  for await (const event of api.intents.observe(record.id)) last = event.status;
  console.log(last);
`;

async function outputOf(script: string): Promise<string> {
  const args = ['--conditions=durable-source', '--input-type=module', '-e', script];
  const options = { cwd: import.meta.dirname };
  return (await promisify(execFile)(process.execPath, args, options)).stdout;
}

it('a process that only waits for a stuck handler lives until it has stopped', async () => {
  expect(await outputOf(STOPPING)).toBe('stopped\n');
});

it('a process that only observes an intent lives until its end', async () => {
  expect(await outputOf(OBSERVING)).toBe('COMPLETED\n');
});
