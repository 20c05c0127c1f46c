import { describe, expect, it } from 'vitest';
import { fixtureOperation, type FixtureOperation } from './fixture-operation.ts';
import type { Harness } from './harness.ts';

/** `version` and `runs`. */
export function versionCases(harness: Harness): void {
  describe('a version of an operation', () => {
    const ofVersion = (
      path: string,
      version: number,
      options: FixtureOperation['options'] = {},
    ): FixtureOperation =>
      fixtureOperation({
        path,
        name: 'report',
        options: { ...options, version },
        handle: async ({ durable }) => ({ handler: version, intent: durable.version }),
      });

    it('is told by the snapshot, and keeps what waits for the handler that it was meant for', async () => {
      const later = { startAfterMs: 200 };
      const first = await harness.serve({ operations: [ofVersion('/report', 1, later)] });
      const old = await first.submit('/report');
      expect(await first.snapshot(old)).toMatchObject({ operation: 'report', version: '1' });
      await first.stop(0);
      const operations = [ofVersion('/report', 2), ofVersion('/older', 1)];
      const second = await harness.serve({ operations, data: first.data });
      const fresh = await second.submit('/report');
      for (const [accepted, version] of [
        [fresh, 2],
        [old, 1],
      ] as const) {
        expect(await second.ended(accepted)).toMatchObject({ version: String(version) });
        const result = await second.send('GET', accepted.links.result);
        expect(result.json).toEqual({ handler: version, intent: String(version) });
      }
    });

    it('can take the intents of another', async () => {
      const later = { startAfterMs: 200 };
      const first = await harness.serve({ operations: [ofVersion('/report', 1, later)] });
      const old = await first.submit('/report');
      await first.stop(0);
      const operations = [ofVersion('/report', 2, { runs: [1] })];
      const second = await harness.serve({ operations, data: first.data });
      expect(await second.ended(old)).toMatchObject({ version: '1', status: 'COMPLETED' });
      const result = await second.send('GET', old.links.result);
      expect(result.json).toEqual({ handler: 2, intent: '1' });
    });
  });
}
