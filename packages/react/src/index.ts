export { DurableProvider, useDurableClient } from './client-context.ts';
export type { DurableProviderProps } from './client-context.ts';
export { useOperation } from './use-operation.ts';
export type { OperationView } from './use-operation.ts';
export type { OperationState } from './operation-state.ts';
