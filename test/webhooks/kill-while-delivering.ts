import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { webhookSchema } from '@durable-api/protocol';
import { Webhook } from 'standardwebhooks';
import { expect } from 'vitest';
import {
  HttpsReceiver,
  makeCertificate,
  type Received,
} from '../../packages/core/test/support/https-receiver.ts';

const SECRET = `whsec_${Buffer.alloc(32, 7).toString('base64')}`;

function start(env: Readonly<Record<string, string>>): ChildProcess {
  const script = new URL('process.ts', import.meta.url).pathname;
  return spawn(process.execPath, ['--conditions=durable-source', script], {
    env: { ...process.env, ...env },
    stdio: 'inherit',
  });
}

async function kill(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exited = once(child, 'exit');
  child.kill('SIGKILL');
  await exited;
}

/**
 * Kills a process while a receiver has its webhook and has not answered yet, and expects another process on the
 * same store to deliver it once more: the same one, as the receiver can verify.
 */
export async function killWhileDelivering(store: string): Promise<void> {
  const certificate = makeCertificate();
  const receiver = await HttpsReceiver.start(certificate);
  const came = Promise.withResolvers<void>();
  receiver.answer = (_, response) => {
    if (receiver.received.length > 1) response.writeHead(204).end();
    else came.resolve();
  };
  const env = {
    STORE: store,
    URL_OF_HOOK: `https://127.0.0.1:${receiver.port}/done`,
    CA: certificate.cert,
    SECRET,
  };
  const first = start({ ...env, SUBMITS: 'one' });
  const children = [first];
  try {
    await came.promise;
    await kill(first);
    children.push(start(env));
    await expect.poll(() => receiver.received.length).toBe(2);
    const [before, after] = receiver.received.map(verified);
    expect(after).toEqual(before);
    expect(before?.body).toMatchObject({
      type: 'intent.completed',
      data: { operation: 'report', result: { pages: 7 } },
    });
  } finally {
    for (const child of children) await kill(child);
    await receiver.stop();
  }
}

/** What a receiver makes of it; throws for a signature that is wrong. */
function verified({ headers, body }: Received) {
  const text = Object.fromEntries(Object.entries(headers).map(([name, of]) => [name, String(of)]));
  return {
    id: text['webhook-id'],
    body: webhookSchema.parse(new Webhook(SECRET).verify(body, text)),
  };
}
