import { eventListSchema } from '@durable-api/protocol';
import { describe, expect, it } from 'vitest';
import { expectAlive, expectProblem } from './expectations.ts';
import { echo, fixtureOperation, type FixtureOperation } from './fixture-operation.ts';
import type { Harness } from './harness.ts';

/** Reports its start, waits to be released, and answers. */
function gated(): { operation: FixtureOperation; release: () => void } {
  const gate = Promise.withResolvers<object>();
  const operation = fixtureOperation({
    handle: async ({ durable }) => {
      durable.progress(0.25);
      return gate.promise;
    },
  });
  return { operation, release: () => gate.resolve({ done: true }) };
}

/** `GET P/{id}/events`. */
export function eventsCases(harness: Harness): void {
  describe('GET of events', () => {
    it('streams them as they happen and ends after the last', async () => {
      const { operation, release } = gated();
      const server = await harness.serve({ operations: [operation] });
      const accepted = await server.submit();
      const stream = await server.observe(accepted.links.events);
      expect(stream.status).toBe(200);
      expect(stream.headers).toMatchObject({
        'content-type': 'text/event-stream',
        'cache-control': 'no-cache, no-transform',
        'x-accel-buffering': 'no',
        incremental: '?1',
        'intent-id': accepted.id,
      });
      const first = await stream.upTo('intent.progress');
      expect(first.at(-1)?.data).toMatchObject({
        status: 'IN_PROGRESS',
        attempt: 1,
        details: { fraction: 0.25 },
      });
      release();
      const events = [...first, ...(await stream.rest())];
      expect(events.map((event) => event.event)).toEqual([
        'intent.created',
        'intent.submitted',
        'intent.delivered',
        'intent.in_progress',
        'intent.progress',
        'intent.completed',
      ]);
      for (const [i, { id, event, data }] of events.entries()) {
        expect(id).toBe(String(i + 1));
        expect(data.seq).toBe(i + 1);
        expect(data.event_type).toBe(event);
        expect(data.intent_id).toBe(accepted.id);
      }
      expect(events.at(-1)?.data.details).toMatchObject({ result: { done: true } });
      expect(stream.retries[0]).toBeGreaterThanOrEqual(1_000);
    });

    it('begins after ?since, and after Last-Event-ID which wins', async () => {
      const server = await harness.serve({ operations: [echo()] });
      const accepted = await server.submit();
      const { seq } = await server.ended(accepted);
      const idsOf = async (path: string, headers = {}): Promise<(string | undefined)[]> => {
        const stream = await server.observe(path, { headers });
        return (await stream.rest()).map(({ id }) => id);
      };
      const all = Array.from({ length: seq }, (_, i) => String(i + 1));
      const { events } = accepted.links;
      expect(await idsOf(events)).toEqual(all);
      expect(await idsOf(`${events}?since=0`)).toEqual(all);
      expect(await idsOf(`${events}?since=2`)).toEqual(all.slice(2));
      expect(await idsOf(events, { 'last-event-id': '3' })).toEqual(all.slice(3));
      expect(await idsOf(`${events}?since=1`, { 'last-event-id': '3' })).toEqual(all.slice(3));
    });

    it('misses nothing and repeats nothing over a reconnect', async () => {
      const { operation, release } = gated();
      const server = await harness.serve({ operations: [operation] });
      const accepted = await server.submit();
      const first = await server.observe(accepted.links.events);
      const seen = [...(await first.upTo('intent.in_progress'))];
      first.leave();
      release();
      const lastId = String(seen.at(-1)?.id);
      const second = await server.observe(accepted.links.events, {
        headers: { 'last-event-id': lastId },
      });
      seen.push(...(await second.rest()));
      expect(seen.map(({ data }) => data.seq)).toEqual(seen.map((_, i) => i + 1));
      expect(seen.at(-1)?.event).toBe('intent.completed');
    });

    it('sends the same bytes to two observers', async () => {
      const { operation, release } = gated();
      const server = await harness.serve({ operations: [operation] });
      const accepted = await server.submit();
      const one = await server.observe(accepted.links.events);
      const two = await server.observe(accepted.links.events);
      await one.upTo('intent.progress');
      await two.upTo('intent.progress');
      release();
      await Promise.all([one.rest(), two.rest()]);
      expect(one.text).toContain('event: intent.completed\n');
      expect(two.text).toBe(one.text);
    });

    it('answers 204 to who has seen the end, so that browsers stop', async () => {
      const server = await harness.serve({ operations: [echo()] });
      const accepted = await server.submit();
      const { seq } = await server.ended(accepted);
      const answer = await server.send('GET', accepted.links.events, {
        headers: { accept: 'text/event-stream', 'last-event-id': String(seq) },
      });
      expect(answer.status).toBe(204);
      expect(answer.body).toHaveLength(0);
    });

    it('ends the stream after ?wait_seconds and says when to come back', async () => {
      const { operation, release } = gated();
      const server = await harness.serve({ operations: [operation] });
      const accepted = await server.submit();
      const stream = await server.observe(`${accepted.links.events}?wait_seconds=1`);
      const events = await stream.rest();
      expect(events.at(-1)?.data.status).toBe('IN_PROGRESS');
      expect(stream.isComplete).toBe(true);
      expect(stream.retries.length).toBeGreaterThanOrEqual(2);
      release();
    });

    it('sends a comment when nothing happens for long', async () => {
      const { operation, release } = gated();
      const server = await harness.serve({
        operations: [operation],
        options: { observe: { heartbeatMs: 100 } },
      });
      const accepted = await server.submit();
      const stream = await server.observe(accepted.links.events);
      await stream.upTo('intent.progress');
      const opening = stream.comments.length;
      await stream.until(() => stream.comments.length > opening);
      release();
      await stream.rest();
    });

    it('lists them as JSON for who accepts only that', async () => {
      const server = await harness.serve({ operations: [echo()] });
      const accepted = await server.submit();
      const { seq } = await server.ended(accepted);
      const headers = { accept: 'application/json' };
      const all = await server.send('GET', accepted.links.events, { headers });
      expect(all.headers['content-type']).toMatch(/^application\/json\b/);
      const { events } = eventListSchema.parse(all.json);
      expect(events.map((event) => event.seq)).toEqual(
        Array.from({ length: seq }, (_, i) => i + 1),
      );
      const later = await server.send('GET', `${accepted.links.events}?since=2`, { headers });
      expect(eventListSchema.parse(later.json).events).toEqual(events.slice(2));
    });

    it('answers 406 to who accepts neither', async () => {
      const server = await harness.serve({ operations: [echo()] });
      const { links } = await server.submit();
      const answer = await server.send('GET', links.events, { headers: { accept: 'text/html' } });
      expectProblem(answer, 'not_acceptable');
    });

    it('streams from the intent itself for an EventSource that was given its link', async () => {
      const server = await harness.serve({ operations: [echo()] });
      const { links } = await server.submit();
      const stream = await server.observe(links.self);
      expect(stream.headers['content-type']).toBe('text/event-stream');
      expect((await stream.rest()).at(-1)?.event).toBe('intent.completed');
    });

    it('asks an observer beyond the limit to come back, with a 200', async () => {
      const { operation, release } = gated();
      const server = await harness.serve({
        operations: [operation],
        options: { limits: { maxObserversPerIntent: 1 } },
      });
      const accepted = await server.submit();
      const first = await server.observe(accepted.links.events);
      await first.upTo('intent.progress');
      const second = await server.observe(accepted.links.events);
      expect(second.status, 'an EventSource gives up at any other').toBe(200);
      expect(await second.rest()).toEqual([]);
      expect(second.retries.at(-1)).toBeGreaterThanOrEqual(1_000);
      release();
      await first.upTo('intent.completed');
    });

    it('never cancels when an observer leaves', async () => {
      const { operation, release } = gated();
      const server = await harness.serve({ operations: [operation] });
      const accepted = await server.submit();
      const stream = await server.observe(accepted.links.events);
      await stream.upTo('intent.progress');
      stream.leave();
      await expectStillInProgress();
      release();
      const ended = await server.ended(accepted);
      expect(ended).toMatchObject({ status: 'COMPLETED', attempt: 1 });
      await expectAlive(server);

      async function expectStillInProgress(): Promise<void> {
        const snapshot = await server.snapshot(accepted);
        expect(snapshot.status).toBe('IN_PROGRESS');
        expect(snapshot.cancel_requested_at).toBeUndefined();
      }
    });
  });
}
