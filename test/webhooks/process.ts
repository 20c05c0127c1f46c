import { DurableApi } from '@durable-api/core';
import { storeFromUrl } from '@durable-api/example-reports';

const { STORE = '', URL_OF_HOOK = '', CA = '', SECRET = '', SUBMITS = '' } = process.env;

const api = new DurableApi({
  store: storeFromUrl(STORE),
  leaseMs: 1_000,
  storeTimeoutMs: 30_000,
  webhooks: {
    secret: SECRET,
    allow: [new URL(URL_OF_HOOK).host],
    allowPrivate: ['127.0.0.1/32'],
    ca: CA,
  },
});
api.declare({
  name: 'report',
  run: async () => ({
    status: 200,
    headers: { 'content-type': 'application/json' },
    body: Buffer.from('{"pages":7}'),
  }),
});
if (SUBMITS !== '') await api.intents.submit('report', {}, { webhookUrl: URL_OF_HOOK });

// The engine keeps no process alive by itself, as a server would.
setInterval(() => {}, 60_000);
