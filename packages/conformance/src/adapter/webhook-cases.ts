import { webhookSchema, type WireWebhook } from '@durable-api/protocol';
import type { OperationOptions, WebhookPost } from '@durable-api/core';
import { describe, expect, it } from 'vitest';
import type { FixtureRequest } from './adapter.ts';
import { expectProblem } from './expectations.ts';
import { echo, fixtureOperation } from './fixture-operation.ts';
import type { Harness } from './harness.ts';

const HOOK = 'https://hooks.example.com/done';
const ours = { authorization: 'Bearer tenant-a' };
const asking = { ...ours, 'callback-url': HOOK };

/** An operation that is told by its requests whom to tell. */
const operation: OperationOptions<FixtureRequest> = {
  webhook: ({ headers }) => headers['callback-url']?.toString(),
};

/** The options of an API with webhooks, and what is sent by them. */
function told() {
  const posts: WebhookPost[] = [];
  const webhooks = {
    secret: `whsec_${Buffer.alloc(32, 7).toString('base64')}`,
    allow: ['hooks.example.com'],
    send: async (post: WebhookPost) => {
      posts.push(post);
      return { status: 204 };
    },
  };
  const bodies = (): WireWebhook[] =>
    posts.map(({ body }) => webhookSchema.parse(JSON.parse(body)));
  return { options: { webhooks }, posts, bodies };
}

/** Webhooks that tell of the ends of intents, as the request of each says. */
export function webhookCases(harness: Harness): void {
  describe('a webhook', () => {
    it('tells whom the request names of the end, with links that lead to the intent', async () => {
      const { options, posts, bodies } = told();
      const operations = [echo({ isProtected: true, options: operation })];
      const server = await harness.serve({ operations, options });
      const accepted = await server.submit('/op', { quarter: 'Q3' }, { headers: asking });
      await expect.poll(() => posts.length).toBe(1);
      expect(posts[0]).toMatchObject({
        url: HOOK,
        headers: {
          'webhook-id': `msg_${accepted.id}`,
          'content-type': expect.stringContaining('application/json'),
        },
      });
      const [body] = bodies();
      const { status_code: status, result, links } = body?.data ?? {};
      expect(body).toMatchObject({ type: 'intent.completed', data: { intent_id: accepted.id } });
      expect({ status, links }).toEqual({ status: 200, links: accepted.links });
      expect(result).toMatchObject({ body: { quarter: 'Q3' } });
      const answer = await server.send('GET', links?.result ?? '', { headers: ours });
      expect(answer.json).toEqual(result);
    });

    it('is named by the end of its intent, and is none of the operation’s own', async () => {
      const { options, posts } = told();
      const operations = [echo({ isProtected: true, options: operation })];
      const server = await harness.serve({ operations, options });
      const accepted = await server.submit('/op', {}, { headers: asking });
      await expect.poll(() => posts.length).toBe(1);
      const list = { headers: { ...ours, accept: 'application/json' } };
      const { events } = Object((await server.send('GET', accepted.links.events, list)).json);
      const delivery: unknown = Object(events.at(-1)).details?.webhook_intent_id;
      expect(delivery).toMatch(/^[0-9a-f-]{36}$/);
      const self = `${server.prefix}/op/${String(delivery)}`;
      expectProblem(await server.send('GET', self, { headers: ours }), 'intent_not_found');
    });

    it('tells of a cancel too', async () => {
      const { options, bodies } = told();
      const stuck = fixtureOperation({
        options: operation,
        handle: async ({ durable: { waitFor } }) => waitFor('never'),
      });
      const server = await harness.serve({ operations: [stuck], options });
      const { links, id } = await server.submit('/op', {}, { headers: asking });
      await server.send('POST', links.cancel, { headers: ours });
      await expect
        .poll(bodies)
        .toMatchObject([{ type: 'intent.canceled', data: { intent_id: id } }]);
    });

    it('is not sent for a request that names nobody', async () => {
      const { options, posts } = told();
      const server = await harness.serve({ operations: [echo({ options: operation })], options });
      const accepted = await server.submit();
      expect(await server.ended(accepted)).toMatchObject({ status: 'COMPLETED' });
      const { events } = Object(
        (
          await server.send('GET', accepted.links.events, {
            headers: { accept: 'application/json' },
          })
        ).json,
      );
      expect(Object(events.at(-1)).details).not.toHaveProperty('webhook_intent_id');
      expect(posts).toEqual([]);
    });

    it('that may not go where the request wants it to is refused, and nothing is stored', async () => {
      const { options } = told();
      const server = await harness.serve({ operations: [echo({ options: operation })], options });
      for (const url of ['http://hooks.example.com/', 'https://evil.example.net/', 'nowhere']) {
        const headers = { 'callback-url': url };
        const answer = await server.send('POST', `${server.prefix}/op`, { headers, json: {} });
        expectProblem(answer, 'webhook_invalid');
      }
      expect((await server.probe.store.stats()).byStatus).toEqual({});
    });
  });
}
