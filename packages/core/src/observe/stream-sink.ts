/**
 * Where a stream is written: the part of Node's `ServerResponse` (HTTP/1 and HTTP/2) that observers
 * need.
 */
export interface StreamSink {
  /** False asks to wait for `drain`. */
  write(chunk: string | Uint8Array): boolean;
  end(chunk?: string): void;
  destroy(): unknown;
  on(event: 'close' | 'drain', listener: () => void): unknown;
  /** Present where a compressing middleware holds bytes back. */
  flush?(): void;
}
