import type { DurableClient } from '@durable-api/client';
import {
  createContext,
  createElement,
  useContext,
  type Context,
  type ReactElement,
  type ReactNode,
} from 'react';

const ClientContext: Context<DurableClient | null> = createContext<DurableClient | null>(null);

/** What {@link DurableProvider} takes. */
export interface DurableProviderProps {
  readonly client: DurableClient;
  readonly children?: ReactNode;
}

/** Gives the components below it the client that `useOperation` submits with. */
export function DurableProvider({ client, children }: DurableProviderProps): ReactElement {
  return createElement(ClientContext.Provider, { value: client }, children);
}

/** The client of the nearest {@link DurableProvider}; null where there is none. */
export function useDurableClient(): DurableClient | null {
  return useContext(ClientContext);
}
