import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { expect, it } from 'vitest';

/** Stops while a handler waits for what never comes, so that nothing else keeps the process alive. */
const SCRIPT = `
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

it('a process that only waits for a stuck handler lives until it has stopped', async () => {
  const args = ['--conditions=durable-source', '--input-type=module', '-e', SCRIPT];
  const { stdout } = await promisify(execFile)(process.execPath, args, {
    cwd: import.meta.dirname,
  });
  expect(stdout).toBe('stopped\n');
});
