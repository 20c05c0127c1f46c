import type { IncomingHttpHeaders } from 'node:http';
import type { StreamSink } from '../observe/stream-sink.ts';

/**
 * A request to an operation or to one of its intents, whatever framework received it. `Source` is the
 * framework's own request.
 */
export interface PlainRequest<Source = unknown> {
  readonly source: Source;
  readonly method: string;
  /** The operation's own path as the client sees it, mount prefixes included, without a query. */
  readonly operationPath: string;
  /** What follows it: `/` for the operation itself, `/{intent_id}`, `/{intent_id}/events`, … */
  readonly subPath: string;
  /** The raw query without `?`. */
  readonly query: string;
  readonly headers: IncomingHttpHeaders;
  /** What the attempt will be given; called once, for a submit. */
  capture(): CapturedRequest | Promise<CapturedRequest>;
  /** What a body parser made of the body; called once, for a signal. */
  body(): unknown;
  /** Calls `listener` when the client has left before it was answered. */
  onClose(listener: () => void): void;
}

/** A request as it is stored. `body` is what a body parser made of it. */
export interface CapturedRequest {
  /** What belongs to the identity of the request: two with one idempotency key must agree on it. */
  readonly identity: {
    readonly method: string;
    /** Path and query as the client sent them. */
    readonly url: string;
  };
  /** A JSON value, or bytes that are stored as such. */
  readonly body: unknown;
  /** Everything else that the adapter wants back at the attempt; a JSON object. */
  readonly rest: Readonly<Record<string, unknown>>;
}

/** What an attempt is given: the stored form of a {@link CapturedRequest}. */
export interface StoredInput {
  readonly body?: unknown;
  /** The body's bytes as base64, when it was not JSON. */
  readonly bytes?: string;
  readonly rest: Readonly<Record<string, unknown>>;
}

/** A whole answer. */
export interface FullReply {
  readonly kind: 'full';
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | Uint8Array;
}

/** An answer that goes on: the adapter sends the head at once and hands over the sink. */
export interface StreamReply {
  readonly kind: 'stream';
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  open(sink: StreamSink): void;
}

export type PlainReply = FullReply | StreamReply;
