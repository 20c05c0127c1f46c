import { afterEach, describe } from 'vitest';
import { accessCases } from './access-cases.ts';
import type { AdapterConformanceOptions, AdapterFactory } from './adapter.ts';
import { cancelCases } from './cancel-cases.ts';
import { childrenCases } from './children-cases.ts';
import { connectionCases } from './connection-cases.ts';
import { contextCases } from './context-cases.ts';
import { dedupeCases } from './dedupe-cases.ts';
import { eventsCases } from './events-cases.ts';
import { handlerCases } from './handler-cases.ts';
import { Harness } from './harness.ts';
import { idempotencyCases } from './idempotency-cases.ts';
import { inputCases } from './input-cases.ts';
import { lifecycleCases } from './lifecycle-cases.ts';
import { limitCases } from './limit-cases.ts';
import { outageCases } from './outage-cases.ts';
import { retryCases } from './retry-cases.ts';
import { scheduleCases } from './schedule-cases.ts';
import { snapshotCases } from './snapshot-cases.ts';
import { startCases } from './start-cases.ts';
import { submitCases } from './submit-cases.ts';
import { ticketCases } from './ticket-cases.ts';
import { versionCases } from './version-cases.ts';
import { webhookCases } from './webhook-cases.ts';

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
    startCases(harness);
    scheduleCases(harness);
    limitCases(harness);
    idempotencyCases(harness);
    dedupeCases(harness);
    snapshotCases(harness);
    eventsCases(harness);
    cancelCases(harness);
    retryCases(harness);
    ticketCases(harness);
    versionCases(harness);
    accessCases(harness);
    inputCases(harness);
    handlerCases(harness);
    contextCases(harness);
    childrenCases(harness);
    connectionCases(harness);
    outageCases(harness);
    webhookCases(harness);
    lifecycleCases(harness);
  });
}
