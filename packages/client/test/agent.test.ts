import { once } from 'node:events';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import {
  AgentClient,
  type AgentClientOptions,
  type Delivery,
  type IntentRequest,
} from '../src/agent/index.ts';
import { FaultProxy } from './fault-proxy.ts';
import { ADMIN_KEY, GatewayServer, LOCKED } from './gateway-server.ts';

const AGENT = 'agent://acme/production/report-service';
const QUICK: AgentClientOptions = { backoff: { baseMs: 5, maxMs: 50 }, heartbeatMs: 1_000 };

const clientOf = ({ url }: { readonly url: string }, more: AgentClientOptions = {}): AgentClient =>
  new AgentClient(url, { ...QUICK, ...more });

const report = (n: number): IntentRequest => ({
  intentType: 'report.generate.v1',
  toAgent: AGENT,
  payload: { n },
});

/** Holds handlers back until they are released one by one. */
class Gate {
  readonly #waiting = new Map<number, () => void>();
  most = 0;

  get waiting(): number[] {
    return [...this.#waiting.keys()];
  }

  async pass({ payload }: Delivery): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#waiting.set(Number(payload['n']), resolve);
    this.most = Math.max(this.most, this.#waiting.size);
    await promise;
  }

  release(n: number): void {
    this.#waiting.get(n)?.();
    this.#waiting.delete(n);
  }
}

describe('an agent', () => {
  let server: GatewayServer;
  let client: AgentClient;
  let agents: AsyncDisposableStack;

  beforeEach(async () => {
    agents = new AsyncDisposableStack();
    server = await GatewayServer.start();
    client = clientOf(server);
  });
  afterEach(async () => {
    await agents.disposeAsync();
    await client.close();
    await server.stop();
  });

  it('does what is sent to it, and its handler’s result is the intent’s', async () => {
    const seen: Delivery[] = [];
    agents.use(
      client.listen(AGENT, (delivery) => {
        seen.push(delivery);
        return { double: 2 * Number(delivery.payload['n']) };
      }),
    );
    const id = await client.sendIntent(report(21));
    expect(await client.waitFor(id)).toMatchObject({ result: { double: 42 } });
    expect(seen).toMatchObject([
      {
        intentId: id,
        intentType: 'report.generate.v1',
        payload: { n: 21 },
        attempt: 1,
        cursor: expect.any(Number),
        intent: { intent_id: id, to_agent: AGENT },
      },
    ]);
    const events = await Array.fromAsync(client.observe(id));
    expect(events.map(({ event_type: type }) => type)).toEqual([
      'intent.created',
      'intent.submitted',
      'intent.delivered',
      'intent.in_progress',
      'intent.completed',
    ]);
    expect(events.at(-1)?.actor).toBe(AGENT);
  });

  it('is given what was sent before it listened, in order', async () => {
    const ids = [];
    for (let n = 1; n <= 5; n += 1) ids.push(await client.sendIntent(report(n)));
    const seen: unknown[] = [];
    agents.use(
      client.listen(AGENT, ({ payload }) => {
        seen.push(payload['n']);
      }),
    );
    for (const id of ids) expect((await client.waitFor(id)).result).toEqual({});
    expect(seen).toEqual([1, 2, 3, 4, 5]);
  });

  it('has its errors be the intents’ errors, and is told them', async () => {
    const errors: unknown[] = [];
    const thrown = [
      Object.assign(new Error('No paper.'), { code: 'no_paper', retryable: false }),
      'just a text',
    ];
    agents.use(
      client.listen(
        AGENT,
        ({ payload }) => {
          const n = Number(payload['n']);
          if (n < 2) throw thrown[n];
          return JSON.parse('[1, 2]');
        },
        { onError: (error, intentId) => errors.push([error, intentId]) },
      ),
    );
    const ids = [];
    for (let n = 0; n < 3; n += 1) ids.push(await client.sendIntent(report(n)));
    const failures = await Promise.all(
      ids.map((id) => client.waitFor(id).catch((error: unknown) => Object(error).failure)),
    );
    expect(failures).toEqual([
      { code: 'no_paper', message: 'No paper.', retryable: false },
      { code: 'handler_failed', message: 'just a text', retryable: true },
      { code: 'handler_failed', message: expect.stringMatching(/object/), retryable: true },
    ]);
    expect(errors).toMatchObject([
      [thrown[0], ids[0]],
      [thrown[1], ids[1]],
      [{ name: 'TypeError' }, ids[2]],
    ]);
  });

  it('works on so many intents at once, and on no more', async () => {
    const gate = new Gate();
    agents.use(
      client.listen(AGENT, (delivery) => gate.pass(delivery), {
        concurrency: 3,
      }),
    );
    const ids = await Promise.all(
      Array.from({ length: 8 }, (_, n) => client.sendIntent(report(n))),
    );
    for (let done = 0; done < 8; done += 1) {
      const atOnce = Math.min(3, 8 - done);
      await expect.poll(() => gate.waiting.length).toBe(atOnce);
      gate.release(gate.waiting[0] ?? -1);
    }
    for (const id of ids) await client.waitFor(id);
    expect(gate.most).toBe(3);
  });

  it('keeps what it works on for longer than the gateway waits for agents, and does it once', async () => {
    const gate = new Gate();
    const seen: string[] = [];
    agents.use(
      client.listen(
        AGENT,
        async (delivery) => {
          seen.push(delivery.intentId);
          await gate.pass(delivery);
        },
        { leaseMs: 1_000, concurrency: 2 },
      ),
    );
    const id = await client.sendIntent(report(1));
    await expect.poll(() => gate.waiting).toEqual([1]);
    // Redelivery is after 500 ms here, and the lease 1 s: both pass.
    await expect.poll(() => server.count(/lease/)).toBeGreaterThan(6);
    gate.release(1);
    await client.waitFor(id);
    expect(seen).toEqual([id]);
  });

  it('goes on after restarts of the gateway, also to hand in what it did meanwhile', async () => {
    const gate = new Gate();
    const seen: unknown[] = [];
    agents.use(
      client.listen(AGENT, async (delivery) => {
        seen.push(delivery.payload['n']);
        await gate.pass(delivery);
        return { done: true };
      }),
    );
    const first = await client.sendIntent(report(1));
    await expect.poll(() => gate.waiting).toEqual([1]);
    await server.kill();
    gate.release(1);
    server = await server.restart();
    expect((await client.waitFor(first)).result).toEqual({ done: true });
    const second = await client.sendIntent(report(2));
    await expect.poll(() => gate.waiting).toEqual([2]);
    gate.release(2);
    await client.waitFor(second);
    expect(seen).toEqual([1, 2]);
  });

  it('does each intent once though its connections are cut at every offset', async () => {
    const seen: unknown[] = [];
    const ids = [];
    for (let n = 0; n < 10; n += 1) ids.push(await client.sendIntent(report(n)));
    await using proxy = await FaultProxy.start(server.port);
    proxy.fallback = (n) => ({ cutAfterBytes: 97 * (n % 40) });
    await using broken = clientOf(proxy, { backoff: { baseMs: 1, maxMs: 5 } });
    agents.use(
      broken.listen(
        AGENT,
        ({ payload }) => {
          seen.push(payload['n']);
        },
        { concurrency: 3 },
      ),
    );
    for (const id of ids) await client.waitFor(id);
    expect(seen.toSorted((a, b) => Number(a) - Number(b))).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
    expect(proxy.connectionCount).toBeGreaterThan(20);
  });

  it('fails an intent whose result the gateway does not take', async () => {
    const errors: unknown[] = [];
    agents.use(
      client.listen(AGENT, () => ({ text: 'x'.repeat(600_000) }), {
        onError: (error) => errors.push(error),
      }),
    );
    const id = await client.sendIntent(report(1));
    await expect(client.waitFor(id)).rejects.toMatchObject({ name: 'OperationFailedError' });
    expect(errors).toMatchObject([{ name: 'DurableClientError', status: 413 }]);
  });

  it('tells a handler that its intent was canceled', async () => {
    const reasons: unknown[] = [];
    const errors: unknown[] = [];
    agents.use(
      client.listen(
        AGENT,
        async (_, { signal }) => {
          if (!signal.aborted) await once(signal, 'abort');
          reasons.push(signal.reason);
          signal.throwIfAborted();
        },
        { leaseMs: 1_000, onError: (error) => errors.push(error) },
      ),
    );
    const id = await client.sendIntent(report(1));
    await expect.poll(async () => (await client.getIntent(id)).status).toBe('IN_PROGRESS');
    await client.resolve(id, { status: 'CANCELED' });
    await expect.poll(() => reasons).toMatchObject([{ code: 'lease_lost' }]);
    // And is free for other work.
    await expect.poll(async () => (await client.getIntent(id)).status).toBe('CANCELED');
    expect(errors).toEqual([]);
  });

  it('waits when it is stopped for what it works on, and takes nothing more', async () => {
    const gate = new Gate();
    const agent = client.listen(AGENT, (delivery) => gate.pass(delivery), { concurrency: 2 });
    const ids = await Promise.all([1, 2, 3].map((n) => client.sendIntent(report(n))));
    await expect.poll(() => gate.waiting.length).toBe(2);
    let hasStopped = false;
    const stopped = agent.stop().then(() => (hasStopped = true));
    const [first = 0, second = 0] = gate.waiting;
    gate.release(first);
    await client.waitFor(ids[first - 1] ?? '');
    expect(hasStopped).toBe(false);
    gate.release(second);
    await stopped;
    await agent.ended;
    const statuses = await Promise.all(ids.map(async (id) => (await client.getIntent(id)).status));
    expect(statuses.filter((status) => status === 'COMPLETED')).toHaveLength(2);
    expect(gate.most).toBe(2);
  });

  it('gives back what takes longer than its grace, and another agent does it', async () => {
    const reasons: unknown[] = [];
    const started = Promise.withResolvers<void>();
    const agent = client.listen(AGENT, async (_, { signal }) => {
      signal.addEventListener('abort', () => reasons.push(signal.reason));
      started.resolve();
      await new Promise(() => {});
    });
    const id = await client.sendIntent(report(1));
    await started.promise;
    await agent.stop({ graceMs: 0 });
    expect(reasons).toMatchObject([{ name: 'AbortError' }]);
    expect((await client.getIntent(id)).status).not.toBe('FAILED');
    const attempts: number[] = [];
    agents.use(
      client.listen(AGENT, ({ attempt }) => {
        attempts.push(attempt);
      }),
    );
    await client.waitFor(id);
    expect(attempts).toEqual([2]);
  });

  it('loses what it works on when it is heard of no more, and another agent does it', async () => {
    await using proxy = await FaultProxy.start(server.port);
    const reasons: unknown[] = [];
    const cut = clientOf(proxy, { backoff: { baseMs: 100, maxMs: 200 } });
    agents.use(
      cut.listen(
        AGENT,
        async (_, { signal }) => {
          await once(signal, 'abort');
          reasons.push(signal.reason);
        },
        { leaseMs: 1_000, graceMs: 0 },
      ),
    );
    const id = await client.sendIntent(report(1));
    await expect.poll(async () => (await client.getIntent(id)).status).toBe('IN_PROGRESS');
    proxy.fallback = () => ({ cutAfterBytes: 0 });
    proxy.cut();
    const attempts: number[] = [];
    agents.use(client.listen(AGENT, ({ attempt }) => void attempts.push(attempt)));
    await client.waitFor(id);
    expect(attempts).toEqual([2]);
    await expect.poll(() => reasons).toMatchObject([{ code: 'lease_lost' }]);
    const events = await Array.fromAsync(client.observe(id));
    expect(events.map(({ event_type: type }) => type.slice(7))).toEqual([
      'created',
      'submitted',
      'delivered',
      'in_progress',
      'delivery_failed',
      'waiting',
      'delivered',
      'in_progress',
      'completed',
    ]);
  });

  it('is stopped by a signal', async () => {
    const abort = new AbortController();
    const agent = client.listen(AGENT, () => {}, { signal: abort.signal });
    const id = await client.sendIntent(report(1));
    await client.waitFor(id);
    abort.abort();
    await agent.ended;
    await client.listen(AGENT, () => {}, { signal: abort.signal }).ended;
  });

  it('tells up to where everything is done, and begins there the next time', async () => {
    const gate = new Gate();
    const cursors: number[] = [];
    const options = { concurrency: 3, onCursor: (cursor: number) => cursors.push(cursor) };
    const placeOf = new Map<number, number>();
    const agent = client.listen(
      AGENT,
      (delivery) => {
        placeOf.set(Number(delivery.payload['n']), delivery.cursor);
        return gate.pass(delivery);
      },
      options,
    );
    const ids = [];
    for (let n = 0; n < 3; n += 1) ids.push(await client.sendIntent(report(n)));
    await expect.poll(() => gate.waiting).toEqual([0, 1, 2]);
    gate.release(1);
    await client.waitFor(ids[1] ?? '');
    expect(cursors.filter((cursor) => cursor >= (placeOf.get(0) ?? 0))).toEqual([]);
    gate.release(0);
    await client.waitFor(ids[0] ?? '');
    const isBehind = (cursor = 0): boolean =>
      cursor >= (placeOf.get(1) ?? 0) && cursor < (placeOf.get(2) ?? 0);
    await expect.poll(() => isBehind(cursors.at(-1))).toBe(true);
    gate.release(2);
    await client.waitFor(ids[2] ?? '');
    await expect.poll(() => cursors.at(-1)).toBe(placeOf.get(2));
    await agent.stop();

    const last = await client.sendIntent(report(3));
    const seen: Delivery[] = [];
    const after = cursors.at(-1) ?? 0;
    agents.use(client.listen(AGENT, (delivery) => void seen.push(delivery), { after }));
    await client.waitFor(last);
    expect(seen.map(({ intentId }) => intentId)).toEqual([last]);
  });

  it('has done by one what was sent to several at one address', async () => {
    const seen: unknown[] = [];
    const work = ({ payload }: Delivery): void => void seen.push(payload['n']);
    const other = agents.use(clientOf(server));
    agents.use(client.listen(AGENT, work, { concurrency: 4 }));
    agents.use(other.listen(AGENT, work, { concurrency: 4 }));
    const ids = await Promise.all(
      Array.from({ length: 20 }, (_, n) => client.sendIntent(report(n))),
    );
    for (const id of ids) await client.waitFor(id);
    expect(seen.toSorted((a, b) => Number(a) - Number(b))).toEqual(ids.map((_, n) => n));
  });

  it('refuses options that cannot work', () => {
    expect(() => client.listen(AGENT, () => {}, { concurrency: 0 })).toThrow(/concurrency/);
    expect(() => client.listen(AGENT, () => {}, { leaseMs: 10 })).toThrow(/leaseMs/);
    expect(() => client.listen('agent://', () => {})).toThrow(/address/);
  });
});

describe('an agent with a key', () => {
  it('listens on its own address only, and ends when its key is revoked', async () => {
    await using server = await GatewayServer.start({ options: LOCKED });
    await using admin = clientOf(server, { apiKey: ADMIN_KEY });
    const key = await server.agentKey(AGENT);
    await using client = clientOf(server, { apiKey: key.token });
    await expect(
      client.listen('agent://acme/production/other', () => {}).ended,
    ).rejects.toMatchObject({ status: 403 });
    const agent = client.listen(AGENT, () => ({ done: true }));
    const refused = agent.ended.catch((error: unknown) => error);
    const id = await admin.sendIntent(report(1));
    expect((await admin.waitFor(id)).result).toEqual({ done: true });
    await key.revoke();
    expect(await refused).toMatchObject({ status: 401, code: 'invalid_platform_api_key' });
  });
});

describe('listen without a handler', () => {
  it.each([
    ['with the agent’s own key', true],
    ['in an open gateway', false],
  ])('brings what was taken, %s', async (_, isLocked) => {
    await using server = await GatewayServer.start(isLocked ? { options: LOCKED } : {});
    const sender = isLocked ? { apiKey: ADMIN_KEY } : {};
    const agent = isLocked ? { apiKey: (await server.agentKey(AGENT)).token } : {};
    await using caller = clientOf(server, sender);
    await using client = clientOf(server, agent);
    const ids = [];
    for (let n = 0; n < 3; n += 1) ids.push(await caller.sendIntent(report(n)));
    const seen: string[] = [];
    for await (const { intentId, payload } of client.listen(AGENT)) {
      seen.push(intentId);
      expect((await caller.getIntent(intentId)).status).toBe('IN_PROGRESS');
      await client.resume(intentId, { action: 'complete', n: payload['n'] });
      if (seen.length === 3) break;
    }
    expect(seen).toEqual(ids);
    expect((await caller.waitFor(ids[2] ?? '')).result).toEqual({ action: 'complete', n: 2 });
  });

  it('begins after a cursor, leaves out what has ended, and ends with an AbortSignal', async () => {
    await using server = await GatewayServer.start();
    await using client = clientOf(server);
    const ids = [];
    for (let n = 0; n < 3; n += 1) ids.push(await client.sendIntent(report(n)));
    const first = await client.listen(AGENT).next();
    const { cursor = 0 } = first.value ?? {};
    await client.resolve(ids[1] ?? '', { status: 'CANCELED' });
    const abort = new AbortController();
    const more = client.listen(AGENT, { after: cursor, signal: abort.signal });
    expect((await more.next()).value?.intentId).toBe(ids[2]);
    const idle = more.next();
    await vi.waitFor(() => expect(server.count(/intents\/stream/)).toBeGreaterThan(2));
    const reason = new Error('Enough.');
    abort.abort(reason);
    await expect(idle).rejects.toBe(reason);
  });

  it('hands in also what looks like nothing', async () => {
    await using server = await GatewayServer.start();
    await using client = clientOf(server);
    const id = await client.sendIntent(report(1));
    expect((await client.resume(id, { reason: 'No more.' })).status).toBe('COMPLETED');
    await expect(client.resume(id, {})).rejects.toMatchObject({ status: 409 });
  });
});
