import { ticketSchema } from '@durable-api/protocol';
import { describe, expect, it } from 'vitest';
import { expectProblem } from './expectations.ts';
import { echo } from './fixture-operation.ts';
import type { Harness } from './harness.ts';
import type { Accepted, TestServer } from './test-server.ts';

const ours = { authorization: 'Bearer tenant-a' };
const theirs = { authorization: 'Bearer tenant-b' };
const options = { tickets: { secret: 'a secret that all processes share' } };

async function ticketUrl(server: TestServer, { links }: Accepted): Promise<string> {
  const answer = await server.send('POST', `${links.self}/ticket`, { headers: ours });
  expect(answer.status).toBe(200);
  const { url } = ticketSchema.parse(answer.json);
  expect(url.startsWith(`${links.events}?ticket=`)).toBe(true);
  return url;
}

/** `POST P/{id}/ticket`, for `EventSource`, which cannot send headers. */
export function ticketCases(harness: Harness): void {
  describe('a ticket', () => {
    it('is nothing that there is unless it is turned on', async () => {
      const server = await harness.serve({ operations: [echo({ isProtected: true })] });
      const { links } = await server.submit('/op', {}, { headers: ours });
      const answer = await server.send('POST', `${links.self}/ticket`, { headers: ours });
      expect(answer.status).toBe(404);
      expect(answer.headers['content-type'] ?? '').not.toContain('problem');
      expect((await server.send('GET', `${links.events}?ticket=a.b.c`)).status).toBe(401);
    });

    it('opens the stream of its intent past what guards the operation, once', async () => {
      const server = await harness.serve({ operations: [echo({ isProtected: true })], options });
      const accepted = await server.submit('/op', {}, { headers: ours });
      const url = await ticketUrl(server, accepted);
      const stream = await server.observe(url);
      expect(stream.status).toBe(200);
      const seen = await stream.upTo('intent.completed');
      expect(seen.map(({ data }) => data.intent_id)).toEqual(seen.map(() => accepted.id));
      expect(seen.map(({ data }) => data.seq)).toEqual(seen.map((_, i) => i + 1));
      expect((await server.send('GET', url)).status).toBe(401);
    });

    it('opens nothing else', async () => {
      const server = await harness.serve({ operations: [echo({ isProtected: true })], options });
      const accepted = await server.submit('/op', {}, { headers: ours });
      const other = await server.submit('/op', {}, { headers: ours });
      const { search } = new URL(await ticketUrl(server, accepted), server.origin);
      for (const path of [
        accepted.links.self,
        accepted.links.result,
        other.links.events,
        `${server.prefix}/op`,
      ]) {
        expect((await server.send('GET', path + search)).status, path).not.toBe(200);
      }
      expect((await server.send('POST', accepted.links.cancel + search)).status).toBe(401);
      expect((await server.send('POST', accepted.links.events + search)).status).toBe(401);
      const nowhere = [`/nowhere${search}`, `${accepted.links.self}/nowhere${search}`];
      expect((await server.send('GET', nowhere[0] ?? '')).status).toBe(404);
      expect([401, 404]).toContain((await server.send('GET', nowhere[1] ?? '')).status);
      // Nor has any of these used it up.
      expect((await server.observe(accepted.links.events + search)).status).toBe(200);
    });

    it('is given to who may see the intent, and to nobody else', async () => {
      const server = await harness.serve({ operations: [echo({ isProtected: true })], options });
      const { links } = await server.submit('/op', {}, { headers: ours });
      expect((await server.send('POST', `${links.self}/ticket`)).status).toBe(401);
      const foreign = await server.send('POST', `${links.self}/ticket`, { headers: theirs });
      expectProblem(foreign, 'intent_not_found');
    });

    it('that is no good is refused where nothing guards the operation', async () => {
      const server = await harness.serve({ operations: [echo()], options });
      const { links } = await server.submit();
      expectProblem(await server.send('GET', `${links.events}?ticket=a.b.c`), 'ticket_invalid');
      expect((await server.observe(links.events)).status).toBe(200);
    });
  });
}
