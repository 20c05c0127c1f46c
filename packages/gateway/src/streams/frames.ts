/** One event of a stream. Clients compare the text, so there is one space after each colon, always. */
export function frame(id: number, event: string, json: string): string {
  return `id: ${id}\nevent: ${event}\ndata: ${json}\n\n`;
}

/** Says that there was nothing to send, and from where to go on. */
export function timeoutFrame(cursor: number): string {
  return `event: stream.timeout\ndata: {"ok":true,"next_seq":${cursor}}\n\n`;
}

/** Keeps a silent stream open. */
export const KEEP_ALIVE = ': keep-alive\n\n';

/** Nothing between here and the client may keep, change or hold back bytes. */
export const STREAM_HEADERS: Readonly<Record<string, string>> = {
  'content-type': 'text/event-stream',
  'cache-control': 'no-cache',
  'x-accel-buffering': 'no',
};
