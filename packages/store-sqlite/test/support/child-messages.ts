import type { ClaimRequest, RenewRequest, SubmitRequest } from '@durable-api/core';

/** What a store in another process can be asked to do. */
export type Order =
  | { readonly do: 'submit'; readonly batch: readonly SubmitRequest[] }
  | { readonly do: 'claim'; readonly request: ClaimRequest }
  | { readonly do: 'renew'; readonly request: RenewRequest }
  | { readonly do: 'close' }
  /** Reports hints from now on. */
  | { readonly do: 'watch' }
  /** Submits without end, many at once, and reports each id when it is acknowledged. */
  | { readonly do: 'flood' }
  /** Blocks the main thread; answered at its end, and announced by `blocking` before. */
  | { readonly do: 'block'; readonly ms: number };

/** What a store in another process says. */
export type Report =
  | { readonly says: 'ready' }
  | { readonly says: 'done'; readonly id: number; readonly result: unknown }
  | { readonly says: 'failed'; readonly id: number; readonly message: string }
  | { readonly says: 'hint'; readonly ids: readonly string[] | null }
  | { readonly says: 'stored'; readonly id: string }
  | { readonly says: 'blocking' };
