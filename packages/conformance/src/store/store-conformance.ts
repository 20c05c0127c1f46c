import { describe } from 'vitest';
import { claimCases } from './claim.ts';
import { commitCases } from './commit.ts';
import { eventsCases } from './events.ts';
import { fidelityCases } from './fidelity.ts';
import { getCases } from './get.ts';
import { idempotencyCases } from './idempotency.ts';
import { keyLimitCases } from './key-limits.ts';
import { keyedCases } from './keyed.ts';
import { leaseCases } from './lease.ts';
import { lifetimeCases } from './lifetime.ts';
import { listCases } from './list.ts';
import { liveKeyCases } from './live-key.ts';
import { noteCases } from './notes.ts';
import { parkingCases } from './parking.ts';
import { pruneCases } from './prune.ts';
import { raceCases } from './races.ts';
import { statsCases } from './stats.ts';
import { submitCases } from './submit.ts';
import { watchCases } from './watch.ts';
import type { StoreSuite } from './suite.ts';

/** For machines that are many times slower than usual, in ms. */
const PATIENCE_MS = 120_000;

/**
 * Defines the tests that every store of Durable API has to pass, one or more for each sentence of the
 * `Store` contract. Call it at the top of a vitest file of the store; `name` heads the report. What
 * the store does not claim in `suite.capabilities` is not asked of it.
 */
export function storeConformance(name: string, suite: StoreSuite): void {
  const patient = { timeout: PATIENCE_MS };
  describe.concurrent(`${name} conforms to the store contract`, patient, () => {
    submitCases(suite);
    idempotencyCases(suite);
    liveKeyCases(suite);
    claimCases(suite);
    leaseCases(suite);
    keyedCases(suite);
    keyLimitCases(suite);
    commitCases(suite);
    eventsCases(suite);
    getCases(suite);
    listCases(suite);
    watchCases(suite);
    noteCases(suite);
    parkingCases(suite);
    pruneCases(suite);
    statsCases(suite);
    lifetimeCases(suite);
    raceCases(suite);
    fidelityCases(suite);
  });
}
