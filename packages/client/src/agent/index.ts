export { AgentClient } from './agent-client.ts';
export type { AgentClientOptions, IntentOutcome } from './agent-client.ts';
export { Agent } from './agent.ts';
export type { AgentStopOptions } from './agent.ts';
export type { AgentContext, AgentHandler, AgentOptions, ListenOptions } from './agent-options.ts';
export type { CompletedIntent } from './completed-intent.ts';
export type { Delivery } from './delivery.ts';
export type { IntentRequest } from './intent-request.ts';
export type { Intent, IntentEvent, JsonObject, PendingWith } from './wire.ts';
