import { finding, type Finding } from './finding.ts';

/** A stream to look at. */
export interface StreamCheck {
  /** The URL of the events. */
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  /** Whether the operation has not ended, so that the stream must stay open. */
  readonly isLive: boolean;
  /** How long to watch it. */
  readonly watchMs: number;
  /** How soon its first byte must be there. */
  readonly firstByteMs: number;
  readonly signal: AbortSignal;
}

/** Opens a stream as a browser does, and finds what holds it back, changes it or cuts it. */
export async function checkStream(check: StreamCheck): Promise<readonly Finding[]> {
  const abort = new AbortController();
  const signal = AbortSignal.any([check.signal, abort.signal]);
  const headers = { ...check.headers, accept: 'text/event-stream', 'accept-encoding': 'gzip, br' };
  const since = performance.now();
  const timer = setTimeout(() => abort.abort(), check.firstByteMs);
  try {
    const response = await fetch(check.url, { headers, signal });
    const type = response.headers.get('content-type') ?? 'nothing';
    if (
      response.status !== 200 ||
      !type.startsWith('text/event-stream') ||
      response.body === null
    ) {
      await response.body?.cancel();
      const advice = 'Is the URL that of an intent, and is nothing in between?';
      return [finding('stream', 'fail', `It answers ${response.status} ${type}. ${advice}`)];
    }
    const reader = response.body.getReader();
    const first = await reader.read();
    clearTimeout(timer);
    const ms = Math.round(performance.now() - since);
    const found = [
      finding('buffering', 'ok', `The first bytes came after ${ms} ms.`),
      compression(response.headers),
      transformation(response.headers),
    ];
    if (!check.isLive || first.done) {
      return [
        ...found,
        finding('idle timeout', 'skip', 'The operation has ended. Try a long one.'),
      ];
    }
    return [...found, await checkLife(reader, check, since)];
  } catch (error) {
    if (check.signal.aborted) throw error;
    if (!abort.signal.aborted) {
      return [finding('stream', 'fail', `It cannot be opened: ${String(error)}`)];
    }
    const seconds = check.firstByteMs / 1_000;
    const advice =
      'Something buffers. nginx: keep X-Accel-Buffering (no proxy_ignore_headers), or proxy_buffering ' +
      'off; compression: leave text/event-stream out; CDN: turn streaming on for this path.';
    return [finding('buffering', 'fail', `No byte within ${seconds} s. ${advice}`)];
  } finally {
    clearTimeout(timer);
    abort.abort();
  }
}

function compression(headers: Headers): Finding {
  const encoding = headers.get('content-encoding');
  if (encoding === null) return finding('compression', 'ok', 'The stream is not compressed.');
  const advice = 'A compressor may hold events back. Leave text/event-stream out of it.';
  return finding('compression', 'fail', `The stream is compressed (${encoding}). ${advice}`);
}

function transformation(headers: Headers): Finding {
  const isKept = headers.get('cache-control')?.includes('no-transform') === true;
  if (isKept) return finding('cache-control', 'ok', 'no-cache, no-transform arrives.');
  const advice = 'Something replaces Cache-Control; keep the server’s for this path.';
  return finding('cache-control', 'warn', `no-transform does not arrive. ${advice}`);
}

type Reader = ReadableStreamDefaultReader<Uint8Array>;

/** Watches an open stream: whether it is cut, and how long it is silent. */
async function checkLife(reader: Reader, check: StreamCheck, since: number): Promise<Finding> {
  const decoder = new TextDecoder();
  let silentSince = performance.now();
  let longestMs = 0;
  let tail = '';
  const over = new Promise<'over'>((resolve) => {
    const timer = setTimeout(() => resolve('over'), check.watchMs);
    timer.unref();
  });
  for (;;) {
    const part = await Promise.race([reader.read().catch(() => 'cut' as const), over]);
    longestMs = Math.max(longestMs, performance.now() - silentSince);
    silentSince = performance.now();
    const seconds = Math.round((performance.now() - since) / 100) / 10;
    if (part === 'over') {
      const silence = (longestMs / 1_000).toFixed(1);
      return finding(
        'idle timeout',
        'ok',
        `Open for ${seconds} s; silent for ${silence} s at most.`,
      );
    }
    const isCut = part === 'cut' || part.done;
    if (!isCut) tail = (tail + decoder.decode(part.value, { stream: true })).slice(-4_096);
    else if (/"status":"(COMPLETED|FAILED|CANCELED|TIMED_OUT)"/.test(tail)) {
      return finding('idle timeout', 'skip', `The operation ended after ${seconds} s.`);
    } else if (/retry: \d+\n\n$/.test(tail)) {
      return finding('idle timeout', 'ok', 'The server asked to reconnect: it stops or is full.');
    } else {
      const advice =
        'Raise the read timeout of what is in between (nginx: proxy_read_timeout), or lower ' +
        'observe.heartbeatMs below it.';
      return finding('idle timeout', 'fail', `Cut after ${seconds} s. ${advice}`);
    }
  }
}
