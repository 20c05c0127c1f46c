import { describe, expect, it } from 'vitest';
import { agentTarget, intentTypeOf, isAgent } from '../../src/agents/agent-ref.ts';
import { DurableApi } from '../../src/durable-api.ts';
import { memoryStore } from '../../src/store/memory-store.ts';
import { respond } from '../support/bed.ts';

describe('an agent', () => {
  it.each([
    'agent://acme/production/report-service',
    'agent://reports',
    { address: 'agent://acme/reports', intentType: 'report.generate.v1' },
  ])('is %j', (agent) => expect(isAgent(agent)).toBe(true));

  it.each([
    'acme/production/report-service',
    'agent://',
    'agent://acme//reports',
    'agent://acme/my reports',
    `agent://${'a'.repeat(400)}`,
    { address: 'agent://acme', intentType: 'Report' },
    { address: 'agent://acme', type: 'report.generate.v1' },
    { intentType: 'report.generate.v1' },
    null,
    7,
  ])('is not %j', (agent) => expect(isAgent(agent)).toBe(false));

  it('is given intents of a type that is made of the operation’s name', () => {
    expect(intentTypeOf('reports.generate')).toBe('reports.generate.v1');
    expect(intentTypeOf('reports.generate.v2')).toBe('reports.generate.v2');
    expect(intentTypeOf('generateReport')).toBe('operation.generate_report.v1');
    expect(intentTypeOf('POST /reports/:id/generate')).toBe('post.reports.id.generate.v1');
    expect(intentTypeOf('ReportsController.generate')).toBe('reports_controller.generate.v1');
    expect(intentTypeOf('§')).toBe('operation.v1');
    const agent = { address: 'agent://a', intentType: 'x.y.v3' };
    expect(agentTarget(agent, 'reports')).toEqual(agent);
  });

  it('is an option of one operation, and of no more', () => {
    const api = new DurableApi({ store: memoryStore(), worker: false });
    const declare = (agent: string) => () =>
      api.declare({ name: 'o', run: async () => respond() }, { agent });
    expect(declare('reports')).toThrow(/agent: must be agent:\/\/organisation/);
    const defaults: object = { agent: 'agent://acme/reports' };
    expect(() => new DurableApi({ store: memoryStore(), defaults })).toThrow(
      /defaults\.agent: must be among the options of one operation/,
    );
  });
});
