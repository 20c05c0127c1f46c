import { describe, expect, it } from 'vitest';
import { asJson } from './gateway-client.ts';
import { ADMIN_KEY, type GatewayHarness } from './gateway-harness.ts';

/** Contract §1 and §2: headers, keys, bodies, errors. */
export function transportCases(harness: GatewayHarness): void {
  describe('transport (§1)', () => {
    it('health, on both paths, needs no key', async () => {
      const client = (await harness.serve()).client(null);
      for (const path of ['/health', '/v1/health']) {
        const answer = await client.call('GET', path, { headers: { 'x-trace-id': 'trace-1' } });
        expect(answer.status).toBe(200);
        expect(answer.json).toMatchObject({ ok: true });
        expect(answer.headers['x-trace-id']).toBe('trace-1');
        expect(answer.headers['x-request-id']).toMatch(/^[\w-]{8,}$/);
      }
    });

    it('takes the key from x-api-key, else from a bearer token', async () => {
      const gateway = await harness.serve();
      const nobody = gateway.client(null);
      const list = (headers: Record<string, string>) =>
        nobody.call('GET', '/v1/intents', { headers });
      expect((await list({ 'x-api-key': ADMIN_KEY })).status).toBe(200);
      expect((await list({ authorization: `Bearer ${ADMIN_KEY}` })).status).toBe(200);
      const both = { 'x-api-key': ADMIN_KEY, authorization: 'Bearer some-actor' };
      expect((await list(both)).status).toBe(200);
    });

    it('answers 401 without a key and with an unknown one', async () => {
      const gateway = await harness.serve();
      const missing = await gateway.client(null).call('GET', '/v1/intents');
      expect(missing.status).toBe(401);
      expect(missing.json).toMatchObject({
        ok: false,
        error: { code: 'missing_platform_api_key' },
      });
      const wrong = await gateway.client('wrong').call('GET', '/v1/intents');
      expect(wrong.status).toBe(401);
      expect(wrong.json).toMatchObject({ error: { code: 'invalid_platform_api_key' } });
    });

    it('answers 400 when owner_agent and x-owner-agent differ, but not in form only', async () => {
      const client = (await harness.serve()).client();
      const ask = (owner: string, header: string) =>
        client.call('GET', `/v1/intents?owner_agent=${encodeURIComponent(owner)}`, {
          headers: { 'x-owner-agent': header },
        });
      expect((await ask('one', 'two')).status).toBe(400);
      expect((await ask('agent://A/b/c', 'a/b/c')).status).toBe(200);
      expect((await ask('name', 'agent://default/default/name')).status).toBe(200);
    });

    it('takes a POST and a DELETE with a JSON type and no body, and one with neither', async () => {
      const client = (await harness.serve()).client();
      const id = await client.create();
      for (const headers of [{ 'content-type': 'application/json' }, {}]) {
        const answer = await client.call('POST', `/v1/intents/${id}/resume`, { headers });
        expect(answer.status).toBe(200);
      }
      const gone = await client.call('DELETE', '/v1/service-accounts/none', {
        headers: { 'content-type': 'application/json' },
      });
      expect(gone.status).toBe(404);
    });

    it('answers HTTP/1.1 to a client that offers to upgrade to h2c', async () => {
      const client = (await harness.serve()).client();
      const answer = await client.call('GET', '/v1/health', {
        headers: {
          connection: 'Upgrade, HTTP2-Settings',
          upgrade: 'h2c',
          'http2-settings': 'AAEAAEAAAAIAAAABAAMAAABkAAQBAAAAAAUAAEAA',
        },
      });
      expect(answer.status).toBe(200);
    });
  });

  describe('errors (§2)', () => {
    it('have one body that every client reads', async () => {
      const client = (await harness.serve()).client();
      const id = '018f0000-0000-7000-8000-000000000000';
      const answer = await client.call('GET', `/v1/intents/${id}`);
      expect(answer.status).toBe(404);
      const { error, message, detail, ok } = asJson(answer.json);
      expect(ok).toBe(false);
      expect(error).toEqual({
        code: 'intent_not_found',
        message,
        category: 'validation',
        retryable: false,
        at: expect.stringMatching(/^\d{4}-\d\d-\d\dT[\d:.]+Z$/),
        details: {},
      });
      expect(detail).toBe(message);
    });

    it('400 for malformed JSON, 422 for what is no object, 413 for a large payload', async () => {
      const client = (await harness.serve()).client();
      const post = async (body: string) =>
        (await client.call('POST', '/v1/intents', { body })).status;
      expect(await post('{"a":')).toBe(400);
      expect(await post('[1]')).toBe(422);
      const payload = { text: 'x'.repeat(131_073) };
      const large = { intent_type: 'a.b.v1', to_agent: 'agent://a/b/c', payload };
      expect(await post(JSON.stringify(large))).toBe(413);
      expect(await post(JSON.stringify({ text: 'x'.repeat(2_000_000) }))).toBe(413);
    });

    it('404 for what is left out (§9), and 405 for another method', async () => {
      const client = (await harness.serve()).client();
      for (const path of [
        '/v1/users/nick',
        '/v1/invites',
        '/v1/media',
        '/v1/mcp',
        '/v1/auth/login-intent',
      ]) {
        const answer = await client.call('GET', path);
        expect(answer.status, path).toBe(404);
        expect(answer.json).toMatchObject({ ok: false, error: { code: 'route_not_found' } });
      }
      expect((await client.call('DELETE', '/v1/intents')).status).toBe(405);
    });
  });

  describe('addresses (§3)', () => {
    it('may have one, two, three and more segments, escaped or not, in any case', async () => {
      const client = (await harness.serve()).client();
      const forms = [
        ['report-service', 'report-service'],
        ['agent://conformance/receiver', 'conformance/receiver'],
        ['agent://Org/Env/Name', 'org/env/name'],
        ['agent://a/b/c/d', encodeURIComponent('agent://a/b/c/d')],
      ];
      for (const [address = '', path = ''] of forms) {
        const id = await client.create({ to_agent: address });
        const [frame] = await client.listen(path);
        expect(frame?.data).toMatchObject({ intent_id: id, to_agent: address });
      }
    });
  });
}
