import { describe } from 'vitest';
import { claimCases } from './claim.ts';
import { commitCases } from './commit.ts';
import { eventsCases } from './events.ts';
import { fidelityCases } from './fidelity.ts';
import { getCases } from './get.ts';
import { idempotencyCases } from './idempotency.ts';
import { leaseCases } from './lease.ts';
import { lifetimeCases } from './lifetime.ts';
import { listCases } from './list.ts';
import { pruneCases } from './prune.ts';
import { raceCases } from './races.ts';
import { statsCases } from './stats.ts';
import { submitCases } from './submit.ts';
import { watchCases } from './watch.ts';
import type { StoreSuite } from './suite.ts';

/**
 * Defines the tests that every store of Durable API has to pass, one or more for each sentence of the
 * `Store` contract. Call it at the top of a vitest file of the store; `name` heads the report. What
 * the store does not claim in `suite.capabilities` is not asked of it.
 */
export function storeConformance(name: string, suite: StoreSuite): void {
  describe(`${name} conforms to the store contract`, () => {
    submitCases(suite);
    idempotencyCases(suite);
    claimCases(suite);
    leaseCases(suite);
    commitCases(suite);
    eventsCases(suite);
    getCases(suite);
    listCases(suite);
    watchCases(suite);
    pruneCases(suite);
    statsCases(suite);
    lifetimeCases(suite);
    raceCases(suite);
    fidelityCases(suite);
  });
}
