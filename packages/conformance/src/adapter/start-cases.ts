import type { OperationOptions } from '@durable-api/core';
import { describe, expect, it } from 'vitest';
import type { FixtureRequest } from './adapter.ts';
import { expectProblem } from './expectations.ts';
import { echo } from './fixture-operation.ts';
import type { Harness } from './harness.ts';

const HOUR_MS = 3_600_000;

/** The instant that a request names in a header. */
const startAt: OperationOptions<FixtureRequest>['startAt'] = ({ headers }) =>
  String(headers['x-start-at'] ?? '') || undefined;

/** `startAfterMs` and `startAt`. */
export function startCases(harness: Harness): void {
  describe('an operation that starts later', () => {
    it('is given the framework’s request to say when', async () => {
      const server = await harness.serve({ operations: [echo({ options: { startAt } })] });
      const resumeAt = new Date(Date.now() + HOUR_MS).toISOString();
      const headers = { 'x-start-at': resumeAt };
      const later = await server.submit('/op', {}, { headers });
      expect(later.answer.headers['retry-after']).toBe('60');
      expect(await server.snapshot(later)).toMatchObject({
        status: 'WAITING',
        waiting_reason: 'WAITING_FOR_TIME',
        resume_at: resumeAt,
      });
      const now = await server.submit('/op', {});
      expect(await server.ended(now)).toMatchObject({ status: 'COMPLETED' });
      expect(await server.snapshot(later)).toMatchObject({ attempt: 0 });
      const answer = await server.send('POST', `${server.prefix}/op`, {
        json: {},
        headers: { 'x-start-at': 'tomorrow' },
      });
      expectProblem(answer, 'start_invalid');
    });

    it('starts by itself when the time has come', async () => {
      const server = await harness.serve({ operations: [echo({ options: { startAfterMs: 50 } })] });
      const accepted = await server.submit('/op', { quarter: 'Q3' });
      const { created_at: createdAt, updated_at: endedAt, status } = await server.ended(accepted);
      expect(status).toBe('COMPLETED');
      expect(Date.parse(endedAt) - Date.parse(createdAt)).toBeGreaterThanOrEqual(50);
    });
  });
}
