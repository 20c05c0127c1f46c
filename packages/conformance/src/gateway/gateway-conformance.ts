import { afterEach, describe } from 'vitest';
import { accessCases } from './access-cases.ts';
import { createCases } from './create-cases.ts';
import { fuzzCases } from './fuzz-cases.ts';
import type { GatewayConformanceOptions, GatewayFactory } from './gateway.ts';
import { GatewayHarness } from './gateway-harness.ts';
import { inboxCases } from './inbox-cases.ts';
import { leaseCases } from './lease-cases.ts';
import { listenCases } from './listen-cases.ts';
import { meshCases } from './mesh-cases.ts';
import { quirkCases } from './quirk-cases.ts';
import { resumeCases } from './resume-cases.ts';
import { scenarioCases } from './scenario-cases.ts';
import { streamCases } from './stream-cases.ts';
import { webhookCases } from './webhook-cases.ts';
import { transportCases } from './transport-cases.ts';

/**
 * Declares the tests of the AXP contract over real servers that `factory` starts. Call it at the top level
 * of a Vitest file. Each test has a server and data of its own.
 */
export function gatewayConformance(
  name: string,
  factory: GatewayFactory,
  options: GatewayConformanceOptions = {},
): void {
  describe(`${name} is an AXP gateway`, () => {
    const harness = new GatewayHarness(factory, options.createData);
    afterEach(() => harness.dispose());
    transportCases(harness);
    createCases(harness);
    streamCases(harness);
    resumeCases(harness);
    listenCases(harness);
    leaseCases(harness);
    scenarioCases(harness);
    accessCases(harness);
    inboxCases(harness);
    meshCases(harness);
    webhookCases(harness);
    quirkCases(harness);
    fuzzCases(harness);
  });
}
