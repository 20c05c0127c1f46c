import type { StreamSink } from '../observe/stream-sink.ts';
import type { PlainReply } from './exchange.ts';

/** The part of Node's `ServerResponse` (HTTP/1 and HTTP/2) that a reply is written to. */
export interface ReplyTarget extends StreamSink {
  readonly headersSent: boolean;
  getHeader(name: string): number | string | string[] | undefined;
  writeHead(status: number, headers: Record<string, string | number>): unknown;
  flushHeaders(): void;
  end(chunk?: string | Uint8Array): unknown;
}

/**
 * Writes a reply. Headers that the app has set before, such as CORS, stay; `Vary` is added to.
 * For `HEAD` only the head is sent.
 */
export function sendReply(reply: PlainReply, target: ReplyTarget, method: string): void {
  if (target.headersSent) return;
  const headers: Record<string, string | number> = { ...reply.headers };
  const vary = mergeVary(target.getHeader('vary'), reply.headers['vary']);
  if (vary !== undefined) headers['vary'] = vary;
  if (reply.kind === 'stream') {
    target.writeHead(reply.status, headers);
    if (method === 'HEAD') target.end();
    else {
      target.flushHeaders();
      reply.open(target);
    }
    return;
  }
  if (reply.status !== 204 && reply.status !== 304) {
    headers['content-length'] = Buffer.byteLength(reply.body);
  }
  target.writeHead(reply.status, headers);
  if (method === 'HEAD' || reply.body.length === 0) target.end();
  else target.end(reply.body);
}

/** Our `Vary` with the names that the app has set before; undefined when we have none. */
export function mergeVary(
  earlier: number | string | string[] | undefined,
  ours: string | undefined,
): string | undefined {
  if (earlier === undefined || ours === undefined) return ours;
  const names = [earlier, ours].flat().join(',').split(',');
  const unique = new Map(names.map((name) => [name.trim().toLowerCase(), name.trim()]));
  return [...unique.values()].join(', ');
}
