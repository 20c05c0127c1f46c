/** What a request is made of. */
export interface FetchInit {
  readonly method: string;
  readonly headers: Record<string, string>;
  readonly body?: string;
  readonly signal: AbortSignal;
  readonly credentials: 'omit' | 'same-origin' | 'include';
  readonly cache: 'no-store';
  /** What a handler has answered is its answer, and credentials must not go to other servers. */
  readonly redirect: 'manual';
}

/** The part of a fetch `Response` that the client reads. */
export interface FetchResponse {
  readonly status: number;
  /** `cors` when the browser may have hidden headers. */
  readonly type?: string;
  readonly headers: { get(name: string): string | null };
  readonly body: { getReader(): ByteReader } | null;
  arrayBuffer(): Promise<ArrayBuffer>;
}

/** The part of a `ReadableStreamDefaultReader` that the client reads. */
interface ByteReader {
  read(): Promise<{ readonly done: boolean; readonly value?: Uint8Array | undefined }>;
}

/** A `fetch`: the global one, undici's, or one that wraps them. */
export type Fetch = (url: string, init: FetchInit) => Promise<FetchResponse>;

/** The part of an undici `Dispatcher` by which one is recognised. */
export interface HttpDispatcher {
  dispatch(options: never, handler: never): boolean;
}

/** How requests are made here. `close` lets go of idle connections. */
export interface Transport {
  readonly fetch: Fetch;
  readonly close: () => Promise<void>;
}
