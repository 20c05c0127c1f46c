import type { IncomingHttpHeaders } from 'node:http';

/**
 * What the requests of Express and of Fastify have in common, for `identify`, `authorize` and `capture`.
 * Annotate their parameter with the platform's own type to see all of it.
 */
export interface DurableRequest {
  readonly method: string;
  /** Path and query as the client sent them. */
  readonly originalUrl: string;
  readonly headers: IncomingHttpHeaders;
  readonly params: unknown;
  readonly query: unknown;
  readonly body?: unknown;
  readonly ip?: string | undefined;
  /** What a guard left on the request. */
  readonly user?: unknown;
}

/**
 * The request that an attempt has, when its method or the providers of its scope inject `REQUEST`: made
 * of what the submit stored, and of nothing else.
 */
export interface StoredRequest {
  readonly method: string;
  readonly originalUrl: string;
  readonly url: string;
  readonly params: Record<string, unknown>;
  readonly query: Record<string, unknown>;
  readonly headers: Record<string, string>;
  readonly body: unknown;
  readonly ip: string | undefined;
  /** The parameters of the host, where the controller has a `host`. */
  readonly hosts: Record<string, unknown>;
}

/** Whether a value is a request of Express or Fastify. */
export function isRequest(value: unknown): value is DurableRequest {
  return (
    typeof value === 'object' && value !== null && 'originalUrl' in value && 'headers' in value
  );
}
