import { request } from 'node:http';
import { describe, expect, it } from 'vitest';
import { RECEIVER } from './gateway-client.ts';
import { ADMIN_KEY, type GatewayHarness } from './gateway-harness.ts';

/** A small generator that gives the same numbers for the same seed. */
function randomOf(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
}

const PIECES = [
  '',
  '/',
  '//',
  '%2F',
  '%00',
  '%zz',
  '%E0%A4%A',
  '..',
  '.',
  'agent:%2F%2F',
  'agent://',
  'v1',
  'intents',
  'agents',
  'stream',
  'events',
  'resume',
  'resolve',
  '*',
  ':id',
  '__proto__',
  'constructor',
  'a'.repeat(500),
  '018f0000-0000-7000-8000-000000000000',
  '%F0%9F%98%80',
  "'",
  '"',
  '<x>',
  ';',
  '?since=%00',
  '?since=1e999&wait_seconds=NaN',
  '?cursor=c-999999999999999&limit=1e9',
  '?owner_agent=%00&window=constructor&health=',
  'changes',
  'decision',
  'heartbeat',
];

const FAMILIES = ['intents', 'agents', 'inbox', 'approvals', 'schemas', 'mesh', 'webhooks', 'x'];

const VALUES = [
  'null',
  'true',
  '-1',
  '1e400',
  '""',
  '"\\u0000"',
  '"\\ud800"',
  '[]',
  '{}',
  '[[[[[]]]]]',
  '{"__proto__":{"a":1}}',
  '{"constructor":{"prototype":{}}}',
  '"agent://a/b/c"',
  '"report.generate.v1"',
  '"COMPLETED"',
  `"${'x'.repeat(3_000)}"`,
  '"2026-02-30T99:99:99Z"',
];

const NAMES = [
  'intent_type',
  'to_agent',
  'from_agent',
  'reply_to',
  'payload',
  'correlation_id',
  'deadline_at',
  'ttl_seconds',
  'remind_after_seconds',
  'max_delivery_attempts',
  'human_task',
  'escalate_to',
  'status',
  'result',
  'error',
  'reason',
  'action',
  'task_result',
  'approve_current_step',
  'controls_patch',
  'grants_patch',
  'expected_policy_generation',
  'name',
  'scenario_id',
  'workflow',
  'agents',
  'intent',
  'older_than_hours',
  'status_filter',
  'message',
  'delegate_to',
  'mode',
  'message_ids',
  'limit',
  'decision',
  'comment',
  'semantic_type',
  'schema_json',
  'metrics',
  'callback_url',
  'event_types',
  'event_type',
  'secret',
];

/** Addresses, bodies and headers of all kinds: no 5xx, no crash, and JSON in every answer. */
export function fuzzCases(harness: GatewayHarness): void {
  describe('whatever is sent', () => {
    it('is answered, and never with a 5xx', async () => {
      const gateway = await harness.serve();
      const client = gateway.client();
      await gateway.agent(RECEIVER);
      const id = await client.create();
      const random = randomOf(20_261_125);
      const one = <T>(list: readonly T[]): T => {
        const value = list[random(list.length)];
        if (value === undefined) throw new Error('An empty list.');
        return value;
      };
      const posts = [
        '/v1/intents',
        `/v1/intents/${id}/resolve`,
        `/v1/intents/${id}/resume`,
        `/v1/intents/${id}/controls`,
        `/v1/intents/${id}/policy`,
        '/v1/intents/bulk-cancel',
        '/v1/service-accounts',
        '/v1/scenarios/validate',
        '/v1/scenarios/apply',
        `/v1/inbox/${id}/reply`,
        `/v1/inbox/${id}/delegate`,
        `/v1/inbox/${id}/approve`,
        `/v1/inbox/${id}/messages/delete`,
        `/v1/approvals/${id}/decision`,
        '/v1/approvals/any/decision',
        '/v1/schemas',
        '/v1/webhooks/subscriptions',
        '/v1/webhooks/events',
        '/v1/mesh/heartbeat',
        '/v1/mesh/agents/conformance/production/receiver/kill',
      ];
      const bad: string[] = [];
      for (let i = 0; i < 900; i += 1) {
        const isPost = random(2) === 0;
        const pieces = Array.from({ length: 1 + random(6) }, () => one(PIECES));
        const path = isPost ? one(posts) : `/v1/${one(FAMILIES)}/${pieces.join('/')}`;
        const members = Array.from({ length: random(6) }, () => `"${one(NAMES)}":${one(VALUES)}`);
        const body = isPost ? one([`{${members.join(',')}}`, one(VALUES), '{"a":', '']) : '';
        const headers = one([
          {},
          { 'content-type': 'application/json' },
          { 'content-type': 'text/plain; charset=x' },
          { 'idempotency-key': 'k'.repeat(random(300)) },
          { 'x-owner-agent': one(PIECES).slice(0, 50) },
          { 'x-trace-id': 'é'.repeat(10) },
          { authorization: 'Bearer' },
        ]);
        const url = new URL(gateway.baseUrl);
        const status = await rawStatus(
          { port: Number(url.port), path: (url.pathname === '/' ? '' : url.pathname) + path },
          isPost ? 'POST' : 'GET',
          { 'x-api-key': ADMIN_KEY, ...headers },
          body,
        );
        if (status >= 500) bad.push(`${status} ${path} ${body.slice(0, 200)}`);
      }
      expect(bad).toEqual([]);
      await client.get('/v1/health');
    });
  });
}

/** Sends what a URL parser would have put right; streams are left once their head is there. */
function rawStatus(
  { port, path }: { readonly port: number; readonly path: string },
  method: string,
  headers: Record<string, string>,
  body: string,
): Promise<number> {
  return new Promise((resolve, reject) => {
    const escaped = path.replaceAll(/[^\x21-\x7e]/g, encodeURIComponent);
    const sent = request({ host: '127.0.0.1', port, path: escaped, method, headers });
    sent.on('error', reject);
    sent.on('response', (response) => {
      resolve(response.statusCode ?? 0);
      response.destroy();
    });
    sent.end(body === '' ? undefined : body);
  });
}
