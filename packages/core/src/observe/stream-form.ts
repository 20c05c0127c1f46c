import type { StoredEvent } from '../store/store.ts';

/** How a stream is written: what of the events it has, and what there is between them. */
export interface StreamForm {
  /** The first bytes; `retryMs` is when the client shall come back if it ends early. */
  opening(retryMs: number): string;
  /** The bytes of these events; none when it has nothing of them. */
  encode(events: readonly StoredEvent[]): Uint8Array;
  /** What keeps a silent stream open; null when nothing can. */
  readonly heartbeat: string | null;
  /** What is said before it ends early; null when it has to break off for the client to notice. */
  leaving(retryMs: number): string | null;
  /** Whether these events make void what was written before them, which cannot be told in this form. */
  voids(events: readonly StoredEvent[]): boolean;
  /** Whether what was written is not the whole, which cannot be told in this form. */
  fails(events: readonly StoredEvent[]): boolean;
}
