import { afterEach, describe } from 'vitest';
import { accessCases } from './access-cases.ts';
import type { AdapterConformanceOptions, AdapterFactory } from './adapter.ts';
import { cancelCases } from './cancel-cases.ts';
import { connectionCases } from './connection-cases.ts';
import { eventsCases } from './events-cases.ts';
import { handlerCases } from './handler-cases.ts';
import { Harness } from './harness.ts';
import { idempotencyCases } from './idempotency-cases.ts';
import { inputCases } from './input-cases.ts';
import { lifecycleCases } from './lifecycle-cases.ts';
import { outageCases } from './outage-cases.ts';
import { snapshotCases } from './snapshot-cases.ts';
import { submitCases } from './submit-cases.ts';

/**
 * Declares the tests that every adapter passes: the HTTP contract, over real servers that `factory`
 * starts. Call it at the top level of a Vitest file. Each test has a server and data of its own.
 */
export function adapterConformance(
  name: string,
  factory: AdapterFactory,
  options: AdapterConformanceOptions = {},
): void {
  describe(`${name} conforms`, () => {
    const harness = new Harness(factory, options);
    afterEach(() => harness.dispose());
    submitCases(harness);
    idempotencyCases(harness);
    snapshotCases(harness);
    eventsCases(harness);
    cancelCases(harness);
    accessCases(harness);
    inputCases(harness);
    handlerCases(harness);
    connectionCases(harness);
    outageCases(harness);
    lifecycleCases(harness);
  });
}
