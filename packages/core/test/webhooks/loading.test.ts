import { execFileSync } from 'node:child_process';
import { expect, it } from 'vitest';

/** What a program that does this has loaded. */
function loadedBy(program: string): { https: boolean; dns: boolean; signatures: boolean } {
  const index = new URL('../../src/index.ts', import.meta.url).href;
  const script = `
    import { createRequire } from 'node:module';
    import { DurableApi, memoryStore } from ${JSON.stringify(index)};
    const response = { status: 204, headers: {}, body: new Uint8Array() };
    ${program}
    const has = (name) => process.moduleLoadList.includes('NativeModule ' + name);
    const cache = Object.keys(createRequire(import.meta.url).cache).join();
    const loaded = { https: has('https'), dns: has('dns/promises'), signatures: cache.includes('standardwebhooks') };
    console.log(JSON.stringify(loaded));
  `;
  const flags = ['--conditions=durable-source', '--input-type=module', '--eval', script];
  const cwd = new URL('../..', import.meta.url);
  return JSON.parse(execFileSync(process.execPath, flags, { encoding: 'utf8', cwd }));
}

it('what delivers webhooks is loaded with the first delivery, and not before', () => {
  const webhooks = `webhooks: { secret: 'whsec_${'A'.repeat(32)}', allow: ['*'], send: async () => ({ status: 204 }) }`;
  const work = (options: string): string => `
    const api = new DurableApi({ store: memoryStore(), ${options} });
    api.declare({ name: 'report', run: async () => response });
    const { record } = await api.intents.submit('report', {}, { webhookUrl: globalThis.wanted });
    for await (const event of api.intents.observe(record.id));
    const [delivery] = await api.intents.list({ operation: 'durable.webhook' });
    if (delivery !== undefined) for await (const event of api.intents.observe(delivery.id));
    await api.stop();
  `;
  expect(loadedBy(work(webhooks))).toEqual({ https: false, dns: false, signatures: false });
  const wanted = `globalThis.wanted = 'https://hooks.example.com/'; ${work(webhooks)}`;
  expect(loadedBy(wanted)).toEqual({ https: true, dns: true, signatures: true });
});
