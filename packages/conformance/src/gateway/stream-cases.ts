import { describe, expect, it } from 'vitest';
import type { GatewayHarness } from './gateway-harness.ts';

/** Contract §4.4. */
export function streamCases(harness: GatewayHarness): void {
  describe('event stream (§4.4)', () => {
    const path = (id: string, query: string): string => `/v1/intents/${id}/events/stream?${query}`;

    it('frames literally, with one space after each colon and a blank line after the last', async () => {
      const client = (await harness.serve()).client();
      const id = await client.create();
      const answer = await client.call('GET', path(id, 'since=1&wait_seconds=2'));
      expect(answer.headers['content-type']).toBe('text/event-stream');
      expect(answer.headers['cache-control']).toBe('no-cache');
      expect(answer.headers['x-accel-buffering']).toBe('no');
      expect(answer.text).toMatch(/^id: 2\nevent: intent\.submitted\ndata: \{.*\}\n\n$/);
    });

    it('ends after the first batch, long before wait_seconds', async () => {
      const client = (await harness.serve()).client();
      const id = await client.create();
      const asked = client.stream(path(id, 'since=2&wait_seconds=60'));
      await client.post(`/v1/intents/${id}/resume`, {});
      const { frames } = await asked;
      expect(frames.map((frame) => frame.event)).toEqual(['intent.in_progress']);
    });

    it('clamps since to the last seq, so that who comes back with last + 1 misses nothing', async () => {
      const client = (await harness.serve()).client();
      const id = await client.create();
      const asked = client.stream(path(id, 'since=3&wait_seconds=30'));
      await client.post(`/v1/intents/${id}/resolve`, { status: 'COMPLETED' });
      const { frames } = await asked;
      expect(frames.map((frame) => frame.id)).toEqual(['3']);
    });

    it('says stream.timeout with the last seq when there was nothing, without an id', async () => {
      const client = (await harness.serve()).client();
      const id = await client.create();
      const { text } = await client.stream(path(id, 'since=2&wait_seconds=1'));
      expect(text).toBe('event: stream.timeout\ndata: {"ok":true,"next_seq":2}\n\n');
    });

    it('ends at once when the intent has ended and nothing is left', async () => {
      const client = (await harness.serve()).client();
      const id = await client.create();
      await client.post(`/v1/intents/${id}/resolve`, { status: 'CANCELED', reason: 'no need' });
      const { frames } = await client.stream(path(id, 'since=3&wait_seconds=60'));
      expect(frames.map((frame) => frame.event)).toEqual(['stream.timeout']);
      const all = await client.stream(path(id, 'since=0&wait_seconds=60'));
      expect(all.frames.at(-1)?.data).toMatchObject({ details: { reason: 'no need' } });
    });

    it('clamps wait_seconds instead of refusing it', async () => {
      const client = (await harness.serve()).client();
      const id = await client.create();
      for (const wait of [0, -1, 3_600]) {
        const answer = await client.call('GET', path(id, `since=0&wait_seconds=${wait}`));
        expect(answer.status).toBe(200);
      }
    });

    it('without wait_seconds stays open until the end, and honours Last-Event-ID', async () => {
      const client = (await harness.serve()).client();
      const id = await client.create();
      const headers = { 'last-event-id': '1' };
      const asked = client.call('GET', `/v1/intents/${id}/events/stream`, { headers });
      await client.post(`/v1/intents/${id}/resume`, {});
      await client.post(`/v1/intents/${id}/resolve`, { status: 'COMPLETED' });
      const { text } = await asked;
      expect(text.match(/^event: .*$/gm)).toEqual([
        'event: intent.submitted',
        'event: intent.in_progress',
        'event: intent.completed',
      ]);
    });
  });
}
