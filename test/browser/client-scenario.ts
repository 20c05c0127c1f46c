import { DurableClient, progressOf, type RetryNotice } from '@durable-api/client';

/** What one run of the client saw. */
export interface Seen {
  readonly first: readonly string[];
  readonly fractions: readonly (number | undefined)[];
  readonly result: unknown;
  readonly early: unknown;
  readonly attachedAgain: unknown;
  readonly failure: unknown;
  readonly canceled: unknown;
  readonly abortReason: unknown;
  readonly key: unknown;
}

const thrown = (promise: Promise<unknown>): Promise<unknown> => promise.then(() => null, detail);

const detail = (error: unknown): unknown =>
  error instanceof Error
    ? { name: error.name, message: error.message, code: Reflect.get(error, 'code') }
    : error;

/** Uses everything that the client can do; the same code runs in Node and in the browser. */
export async function useClient(baseUrl: string): Promise<Seen> {
  const client = new DurableClient(baseUrl, {
    headers: async () => ({ authorization: 'Bearer tenant-a' }),
    backoff: { baseMs: 10 },
  });
  const report = await client.submit('/report', { quarter: 'Q3' });
  const events = [];
  for await (const event of report.observe()) events.push(event);
  const early = await client.submit('/echo', { now: true }, { waitMs: 10_000 });
  const failing = await client.submit('/fail', {});
  const endless = await client.submit('/endless', {});
  const abort = new AbortController();
  const endlessResult = endless.result({ signal: abort.signal });
  abort.abort('enough');
  const abortReason = await thrown(endlessResult);
  await endless.cancel();
  const once = { idempotencyKey: `once-${report.intentId}` };
  const twice = [await client.submit('/echo', 1, once), await client.submit('/echo', 1, once)];
  return {
    first: events.map((event) => `${event.seq} ${event.event_type} ${event.status}`),
    fractions: events.map(progressOf).flatMap((progress) => progress?.fraction ?? []),
    result: await report.result(),
    early: await early.result(),
    attachedAgain: await new DurableClient(baseUrl, {
      headers: { authorization: 'Bearer tenant-a' },
    })
      .operation(report.url)
      .result(),
    failure: await thrown(failing.result()),
    canceled: await thrown(endless.result()),
    abortReason,
    key: twice[0]?.intentId === twice[1]?.intentId,
  };
}

/** Observes one intent to its end and returns the seqs it saw. */
export async function observeSeqs(
  url: string,
  onSeq: (seq: number) => void = () => {},
): Promise<readonly number[]> {
  const client = new DurableClient(new URL(url).origin, { backoff: { baseMs: 0 } });
  const seqs: number[] = [];
  for await (const { seq } of client.operation(url).observe()) {
    seqs.push(seq);
    onSeq(seq);
  }
  return seqs;
}

/** Observes while `onRetry` is told of every reconnection. */
export async function observeWithNotices(
  url: string,
): Promise<{ seqs: readonly number[]; codes: readonly unknown[] }> {
  const notices: RetryNotice[] = [];
  const client = new DurableClient(new URL(url).origin, {
    backoff: { baseMs: 600_000, maxMs: 600_000 },
    onRetry: (notice) => void notices.push(notice),
  });
  const seqs: number[] = [];
  for await (const { seq } of client.operation(url).observe()) seqs.push(seq);
  return { seqs, codes: notices.map(({ error }) => error?.code) };
}
