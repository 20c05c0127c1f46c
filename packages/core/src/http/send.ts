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
  // Who left meanwhile gets nothing; a stream to nobody would never hear that it is over.
  if (target.headersSent || hasLeft(target)) return;
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

/** Whether who waited for this response of Node's has gone: nothing will be heard of the client any more. */
export function hasLeft(response: object): boolean {
  if ('closed' in response) return response.closed === true;
  // Over HTTP/2 only its stream tells.
  const stream: unknown = Reflect.get(response, 'stream');
  return Reflect.get(Object(stream), 'destroyed') === true;
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
