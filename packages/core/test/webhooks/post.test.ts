import type { LookupAddress } from 'node:dns';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { Webhook } from 'standardwebhooks';
import { systemClock } from '../../src/clock.ts';
import { DurableApi } from '../../src/durable-api.ts';
import { memoryStore } from '../../src/store/memory-store.ts';
import { AddressRules } from '../../src/webhooks/addresses.ts';
import { post, type PostSetup } from '../../src/webhooks/post.ts';
import {
  HttpsReceiver,
  makeCertificate,
  RECEIVER_HOST,
  type Certificate,
} from '../support/https-receiver.ts';
import { respond } from '../support/bed.ts';
import { SECRET } from '../support/webhook-bed.ts';

const LOOPBACK: LookupAddress = { address: '127.0.0.1', family: 4 };

let certificate: Certificate;
let receiver: HttpsReceiver;
beforeAll(() => {
  certificate = makeCertificate();
});
beforeEach(async () => {
  receiver = await HttpsReceiver.start(certificate);
});
afterEach(() => receiver.stop());

/** Posts to the receiver by its name, which means what `lookUp` says. */
function send(
  setup: Partial<PostSetup> = {},
  host = RECEIVER_HOST,
  signal: AbortSignal = new AbortController().signal,
): ReturnType<typeof post> {
  const url = `https://${host}:${receiver.port}/done?for=us`;
  return post(
    { url, headers: { 'content-type': 'application/json' }, body: '{"ä":1}', signal },
    {
      addresses: new AddressRules(['127.0.0.0/8']),
      clock: systemClock(),
      timeoutMs: 10_000,
      ca: certificate.cert,
      lookUp: async () => [LOOPBACK],
      ...setup,
    },
  );
}

describe('a POST', () => {
  it('bears method, path, headers and body, and gives the status', async () => {
    expect(await send()).toEqual({ status: 204, retryAfter: undefined });
    expect(receiver.received).toMatchObject([
      {
        method: 'POST',
        path: '/done?for=us',
        body: '{"ä":1}',
        headers: {
          host: `${RECEIVER_HOST}:${receiver.port}`,
          'content-type': 'application/json',
          'content-length': '8',
        },
      },
    ]);
  });

  it('gives the pause that the receiver asks for', async () => {
    receiver.answer = (_, response) => response.writeHead(429, { 'retry-after': '7' }).end();
    expect(await send()).toEqual({ status: 429, retryAfter: '7' });
  });

  it('follows no redirect', async () => {
    const location = `https://${RECEIVER_HOST}:${receiver.port}/elsewhere`;
    receiver.answer = (_, response) => response.writeHead(307, { location }).end();
    expect(await send()).toMatchObject({ status: 307 });
    expect(receiver.received).toHaveLength(1);
  });

  it('reads no more of an answer than it must', async () => {
    let sent = 0;
    receiver.answer = (_, response) => {
      response.writeHead(200);
      const more = (): void => {
        while (!response.destroyed && response.write(Buffer.alloc(65_536))) sent += 65_536;
      };
      response.on('drain', more);
      more();
    };
    expect(await send()).toMatchObject({ status: 200 });
    expect(sent).toBeLessThan(16 * 1_048_576);
  });

  it('is over when the head of the answer is there and the rest is cut off', async () => {
    receiver.answer = (_, response) => {
      response.writeHead(200, { 'content-length': '100' });
      response.write('half', () => response.destroy());
    };
    expect(await send()).toMatchObject({ status: 200 });
  });

  it('fails when there is no answer in time', async () => {
    receiver.answer = () => {};
    await expect(send({ timeoutMs: 200 })).rejects.toThrow(
      expect.objectContaining({ name: 'DeliveryError', message: 'No answer within 200 ms.' }),
    );
  });

  it('fails when the look-up takes too long', async () => {
    const lookUp = () => new Promise<never>(() => {});
    await expect(send({ timeoutMs: 50, lookUp })).rejects.toThrow('No connection within 50 ms.');
    expect(receiver.connections).toBe(0);
  });

  it('stops with the attempt', async () => {
    const abort = new AbortController();
    receiver.answer = () => abort.abort(new Error('The process drains.'));
    await expect(send({}, RECEIVER_HOST, abort.signal)).rejects.toThrow('The process drains.');
  });

  it('trusts only the authorities that it is told to', async () => {
    await expect(send({ ca: undefined })).rejects.toThrow(/could not be reached: self-signed/);
    // Node warns of it.
    vi.spyOn(process, 'emitWarning').mockImplementation(() => {});
    vi.stubEnv('NODE_TLS_REJECT_UNAUTHORIZED', '0');
    await expect(send({ ca: undefined })).rejects.toThrow(/self-signed/);
    vi.unstubAllEnvs();
    vi.restoreAllMocks();
    expect(receiver.received).toEqual([]);
  });

  it('wants the certificate to be for the host', async () => {
    await expect(send({}, 'other.example.com')).rejects.toThrow(/altnames/);
    expect(receiver.received).toEqual([]);
  });

  it('goes to an address in place of a name, under the same rules', async () => {
    expect(await send({}, '127.0.0.1')).toMatchObject({ status: 204 });
    const addresses = new AddressRules([]);
    await expect(send({ addresses }, '127.0.0.1')).rejects.toMatchObject({
      code: 'webhook_refused',
    });
  });

  it('fails when nobody listens', async () => {
    const lookUp = async () => [{ address: '127.0.0.2', family: 4 }];
    await expect(send({ lookUp })).rejects.toThrow(/could not be reached: .*ECONNREFUSED/);
  });
});

describe('a name', () => {
  it('whose addresses are not all public is not connected to', async () => {
    const lookUp = async () => [{ address: '93.184.215.14', family: 4 }, LOOPBACK];
    const refused = send({ lookUp, addresses: new AddressRules([]) });
    await expect(refused).rejects.toMatchObject({ code: 'webhook_refused' });
    expect(receiver.connections).toBe(0);
  });

  it('that means another address a moment later is connected to where it was checked', async () => {
    // Only the first answer is allowed; whoever looks again is led elsewhere.
    const answers = ['127.0.0.1', '127.0.0.2'];
    const lookUp = async () => [{ address: answers.shift() ?? '127.0.0.3', family: 4 }];
    const addresses = new AddressRules(['127.0.0.1/32']);
    expect(await send({ lookUp, addresses })).toMatchObject({ status: 204 });
    expect(answers).toEqual(['127.0.0.2']);
    await expect(send({ lookUp, addresses })).rejects.toMatchObject({ code: 'webhook_refused' });
    expect(receiver.connections).toBe(1);
  });

  it('is tried at each of its addresses', async () => {
    const lookUp = async () => [{ address: '127.0.0.9', family: 4 }, LOOPBACK];
    expect(await send({ lookUp })).toMatchObject({ status: 204 });
  });

  it('that is none says so', async () => {
    const failed = post(
      {
        url: 'https://no-such-name.invalid/',
        headers: {},
        body: '',
        signal: new AbortController().signal,
      },
      { addresses: new AddressRules([]), clock: systemClock(), timeoutMs: 10_000 },
    );
    await expect(failed).rejects.toThrow(/could not be reached: getaddrinfo/);
  });
});

describe('a delivery over HTTPS', () => {
  const apis: DurableApi[] = [];
  afterAll(async () => {
    for (const api of apis) await api.stop({ graceMs: 0 });
  });

  it('is verified by its receiver with the standardwebhooks package, each time that it comes', async () => {
    const statuses = [500, 302];
    receiver.answer = (_, response) => response.writeHead(statuses.shift() ?? 204).end();
    const api = new DurableApi({
      store: memoryStore(),
      webhooks: {
        secret: SECRET,
        allow: [`127.0.0.1:${receiver.port}`],
        allowPrivate: ['127.0.0.1/32'],
        ca: certificate.cert,
        backoff: { baseMs: 1 },
      },
    });
    apis.push(api);
    api.declare({ name: 'report', run: async () => respond({ pages: 7 }) });
    const webhookUrl = `https://127.0.0.1:${receiver.port}/`;
    const { record } = await api.intents.submit('report', {}, { webhookUrl });
    await expect.poll(() => receiver.received.length).toBe(3);
    for (const { body, headers } of receiver.received) {
      const text = Object.fromEntries(Object.entries(headers).map(([k, v]) => [k, String(v)]));
      const verified: unknown = new Webhook(SECRET).verify(body, text);
      expect(verified).toMatchObject({
        type: 'intent.completed',
        data: { intent_id: record.id, result: { pages: 7 } },
      });
      expect(() => new Webhook(SECRET).verify(body.replace('7', '8'), text)).toThrow();
    }
  });
});
