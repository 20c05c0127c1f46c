/** Whoever sends a request. */
export type Caller =
  /** Asks for what needs no key. */
  | { readonly kind: 'anonymous'; readonly id: ''; readonly keyId: null }
  /** May do everything. `keyId` is null for a key of the options, and for anybody in an open gateway. */
  | { readonly kind: 'admin'; readonly id: string; readonly keyId: string | null }
  /** Acts for one agent. */
  | {
      readonly kind: 'agent';
      readonly id: string;
      readonly keyId: string;
      /** The agent's address as it was registered. */
      readonly agent: string;
      /** The key of that address. */
      readonly address: string;
    };

/** Whether the caller is this agent, or may act for any. */
export function mayActAs(caller: Caller, address: string): boolean {
  return caller.kind === 'admin' || (caller.kind === 'agent' && caller.address === address);
}
