import { DurableClient, OperationCanceledError } from '@durable-api/client';
import { isTerminal, type WireEvent } from '@durable-api/protocol';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openCrashStore, type CrashStore } from '../crash/crash-store.ts';
import { ServerInProcess, type ServerSetup } from '../server-in-process.ts';

const ADAPTERS: Readonly<Record<string, Omit<ServerSetup, 'store'>>> = {
  Express: { script: 'test/matrix/servers/express.ts' },
  Fastify: { script: 'test/matrix/servers/fastify.ts' },
  'Nest on Express': { script: 'test/matrix/servers/nest.ts', isCompiled: true },
  'Nest on Fastify': {
    script: 'test/matrix/servers/nest.ts',
    isCompiled: true,
    env: { PLATFORM: 'fastify' },
  },
};

const LEASE_MS = 1_000;
/** Far longer than a slow machine takes to hand work over. */
const LONG_LEASE_MS = 60_000;

/** The events of an operation up to its end, over whatever happens to its server. */
async function eventsOf(events: AsyncIterable<WireEvent>): Promise<WireEvent[]> {
  const seen: WireEvent[] = [];
  for await (const event of events) seen.push(event);
  return seen;
}

const isWorking = ({ event_type: type }: WireEvent): boolean => type === 'intent.progress';

async function until(
  events: AsyncIterable<WireEvent>,
  isIt: (event: WireEvent) => boolean,
): Promise<WireEvent> {
  for await (const event of events) if (isIt(event)) return event;
  throw new Error('The operation ended before.');
}

describe.each(['memory', 'sqlite', 'postgres', 'redis'] as const)('on %s', (kind) => {
  let store: Pick<CrashStore, 'url'> & Partial<CrashStore>;
  beforeAll(async () => {
    const opened = kind === 'memory' ? { url: 'memory:' } : await openCrashStore(kind);
    if (opened === null) throw new Error(`There is no ${kind} server on this machine.`);
    store = opened;
  });
  afterAll(() => store[Symbol.asyncDispose]?.());

  describe.each(Object.entries(ADAPTERS))('%s', (_name, adapter) => {
    const start = (leaseMs = LEASE_MS): Promise<ServerInProcess> => {
      const env = { ...adapter.env, LEASE_MS: String(leaseMs) };
      return ServerInProcess.start({ ...adapter, env, store: store.url });
    };

    it('does the work, tells of it, and gives the result', async () => {
      await using server = await start();
      const client = new DurableClient(server.origin);
      const operation = await client.submit('/work', { ms: 100 });
      const events = await eventsOf(operation.observe());
      expect(events.map(({ seq }) => seq)).toEqual(events.map((_, i) => i + 1));
      expect(events[0]?.event_type).toBe('intent.created');
      expect(events.some(isWorking)).toBe(true);
      expect(events.at(-1)?.event_type).toBe('intent.completed');
      expect(await operation.result()).toEqual({ attempt: 1 });
    });

    it('stops a handler whose operation is canceled', async () => {
      await using server = await start();
      const client = new DurableClient(server.origin);
      const operation = await client.submit('/work', { ms: 20_000 });
      await until(operation.observe(), isWorking);
      await operation.cancel();
      await expect(operation.result()).rejects.toThrow(OperationCanceledError);
    });

    if (kind === 'memory') return;

    it('goes on after the only process was killed, and no observer misses or repeats an event', async () => {
      await using server = await start();
      const client = new DurableClient(server.origin);
      const operation = await client.submit('/work', { ms: 1_000 });
      const observed = eventsOf(operation.observe());
      await until(operation.observe(), isWorking);
      await server.kill();
      await server.restart();
      const events = await observed;
      expect(events.map(({ seq }) => seq)).toEqual(events.map((_, i) => i + 1));
      expect(events.filter(({ status }) => isTerminal(status))).toHaveLength(1);
      expect(await operation.result()).toEqual({ attempt: 2 });
    });

    it('hands over what it was doing when it is told to end', async () => {
      await using first = await start(LONG_LEASE_MS);
      await using second = await start(LONG_LEASE_MS);
      const operation = await new DurableClient(first.origin).submit('/work', { ms: 1_500 });
      await until(operation.observe(), isWorking);
      const handedOverAt = Date.now();
      await first.kill('SIGTERM');
      const { pathname } = new URL(operation.url);
      const there = new DurableClient(second.origin).operation(pathname);
      const resumed = await until(there.observe(), ({ event_type: type, attempt }) => {
        return type === 'intent.in_progress' && attempt === 2;
      });
      expect(Date.parse(resumed.at) - handedOverAt).toBeLessThan(LONG_LEASE_MS / 2);
      expect(await there.result()).toEqual({ attempt: 2 });
    });
  });
});
