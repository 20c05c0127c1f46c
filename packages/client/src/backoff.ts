/** How long to wait after a failure: exponential, full jitter. */
export interface BackoffOptions {
  /** Upper bound of the first wait. Default 250 ms. */
  readonly baseMs?: number | undefined;
  /** What each further bound is multiplied by. Default 2. */
  readonly factor?: number | undefined;
  /** Upper bound of any wait. Default 30,000 ms. */
  readonly maxMs?: number | undefined;
}

/** The wait after `failures` failures in a row (at least 1). */
export function backoffMs(
  failures: number,
  { baseMs, factor, maxMs }: Required<{ [K in keyof BackoffOptions]: number }>,
): number {
  return Math.random() * Math.min(maxMs, baseMs * factor ** (failures - 1));
}

/** Reads a `Retry-After` header (RFC 9110 §10.2.3): seconds, or a date. In ms from now. */
export function parseRetryAfter(header: string | null): number | undefined {
  if (header === null) return undefined;
  const ms = /^\d+$/.test(header) ? Number(header) * 1_000 : Date.parse(header) - Date.now();
  return Number.isNaN(ms) ? undefined : Math.max(0, ms);
}

/** Waits; rejects with the signal's reason when it is aborted. Ends early when the machine is back online. */
export function delay(ms: number, signal: AbortSignal | undefined): Promise<void> {
  return new Promise((resolve, reject) => {
    const finish = (): void => {
      clearTimeout(timer);
      globalThis.removeEventListener?.('online', finish);
      signal?.removeEventListener('abort', finish);
      if (signal?.aborted) reject(signal.reason);
      else resolve();
    };
    const timer = setTimeout(finish, Math.min(ms, 2 ** 31 - 1));
    globalThis.addEventListener?.('online', finish);
    signal?.addEventListener('abort', finish);
    if (signal?.aborted) finish();
  });
}
