import { compact, instant, type JsonObject } from '../http/json.ts';
import type { ServiceAccount } from '../provisioning/accounts.ts';
import type { AgentPulse } from './heartbeats.ts';

/** How an agent is. */
export const HEALTH = ['healthy', 'degraded', 'unreachable', 'killed', 'unknown'] as const;
/** See {@link HEALTH}. */
export type AgentHealth = (typeof HEALTH)[number];

/** How long after its last heartbeat an agent is healthy, and how long it is degraded, in ms. */
const HEALTHY_MS = 90_000;
const DEGRADED_MS = 300_000;

/** How an agent is, by when it was last heard of; unknown when it never was, or not since yesterday. */
export function healthOf(pulse: AgentPulse | null, isKilled: boolean, now: number): AgentHealth {
  if (isKilled) return 'killed';
  if (pulse === null) return 'unknown';
  const silentMs = now - pulse.at;
  if (silentMs <= HEALTHY_MS) return 'healthy';
  return silentMs <= DEGRADED_MS ? 'degraded' : 'unreachable';
}

/** An agent as callers see it. */
export function meshAgent({
  account,
  pulse,
  health,
}: {
  readonly account: ServiceAccount;
  readonly pulse: AgentPulse | null;
  readonly health: AgentHealth;
}): JsonObject {
  const { metrics } = pulse ?? {};
  return {
    address_id: account.id,
    address: account.agent,
    display_name: account.displayName ?? account.name,
    health_status: health,
    last_heartbeat_at: pulse === null ? null : instant(pulse.at),
    created_at: account.createdAt,
    intents_period: metrics?.intentsTotal ?? 0,
    cost_period: metrics?.costUsd ?? 0,
    metadata:
      metrics === undefined
        ? null
        : compact({
            intents_succeeded: metrics.intentsSucceeded,
            intents_failed: metrics.intentsFailed,
            avg_latency_ms: metrics.avgLatencyMs,
          }),
  };
}
