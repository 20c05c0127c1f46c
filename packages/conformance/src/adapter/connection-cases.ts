import { once } from 'node:events';
import { connect } from 'node:net';
import { describe, expect, it, vi } from 'vitest';
import { expectAlive } from './expectations.ts';
import { echo, fixtureOperation } from './fixture-operation.ts';
import type { Harness } from './harness.ts';

/** What connections do. */
export function connectionCases(harness: Harness): void {
  describe('a connection', () => {
    it('is kept and used again, whatever was answered on it', async () => {
      const server = await harness.serve({ operations: [echo()] });
      const { answer, links } = await server.submit();
      expect(answer.isReused).toBe(false);
      const asks = [
        ['GET', links.self],
        ['GET', `${links.self}x`],
        ['HEAD', links.self],
        ['POST', `${server.prefix}/op`],
        ['DELETE', links.self],
        ['GET', links.result],
      ] as const;
      for (const [method, path] of asks) {
        const answer = await server.send(method, path, method === 'POST' ? { json: {} } : {});
        expect(answer.isReused, `${method} ${path}`).toBe(true);
      }
    });

    it('that breaks off in the middle of a body makes no intent', async () => {
      const server = await harness.serve({ operations: [echo()] });
      const { hostname, port } = new URL(server.origin);
      const socket = connect(Number(port), hostname);
      await once(socket, 'connect');
      socket.write(
        `POST ${server.prefix}/op HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\n` +
          'content-length: 100\r\nexpect: 100-continue\r\n\r\n',
      );
      const [head] = await once(socket, 'data');
      expect(String(head), 'the server reads the body').toContain('100 Continue');
      socket.write('{"a":');
      socket.destroy();
      await once(socket, 'close');
      await expectAlive(server);
      expect(await server.probe.store.list({ limit: 10 })).toHaveLength(1);
    });

    it('that breaks while a submit waits for its result does not cancel it', async () => {
      const gate = Promise.withResolvers<object>();
      const started = Promise.withResolvers<void>();
      const aborted: unknown[] = [];
      const operation = fixtureOperation({
        handle: ({ durable }) => {
          durable.signal.addEventListener('abort', () => aborted.push(durable.signal.reason));
          started.resolve();
          return gate.promise;
        },
      });
      const server = await harness.serve({ operations: [operation] });
      const leave = new AbortController();
      const waiting = server.send('POST', `${server.prefix}/op`, {
        json: {},
        headers: { prefer: 'wait=30' },
        signal: leave.signal,
      });
      await started.promise;
      leave.abort();
      await expect(waiting).rejects.toThrow(/abort/i);
      gate.resolve({ done: true });
      const [record] = await server.probe.store.list({ limit: 10 });
      const path = `${server.prefix}/op/${record?.id}`;
      const answer = await server.send('GET', path, { headers: { prefer: 'wait=10' } });
      expect(answer.json).toMatchObject({ status: 'COMPLETED', attempt: 1 });
      expect(aborted).toEqual([]);
    });

    it('that breaks before an observer was answered leaves no observer behind', async () => {
      const held = Promise.withResolvers<void>();
      const asked = Promise.withResolvers<void>();
      const release = Promise.withResolvers<object>();
      const server = await harness.serve({
        operations: [fixtureOperation({ handle: () => release.promise })],
        options: {
          limits: { maxObserversPerIntent: 1 },
          identify: async ({ headers }) => {
            if (headers['x-is-held'] === undefined) return 'anyone';
            asked.resolve();
            await held.promise;
            return 'anyone';
          },
        },
      });
      const accepted = await server.submit();
      const { links } = accepted;
      const { hostname, port } = new URL(server.origin);
      const socket = connect(Number(port), hostname);
      socket.write(`GET ${links.events} HTTP/1.1\r\nhost: x\r\nx-is-held: yes\r\n\r\n`);
      await asked.promise;
      socket.destroy();
      await once(socket, 'close');
      // The server hears of it before it hears of this, or soon after.
      await server.snapshot(accepted);
      held.resolve();
      await vi.waitFor(async () => {
        const stream = await server.observe(links.events);
        const first = await stream.next();
        stream.leave();
        expect(first?.event).toBe('intent.created');
      }, 10_000);
      release.resolve({});
    });
  });
}
