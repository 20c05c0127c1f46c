import { backoffMs, delay } from './backoff.ts';
import { DurableClientError } from './errors.ts';
import type { ResolvedClientOptions } from './options.ts';

/** A shorter pause is none: some proxies ask for 0, and would be asked again without end. */
const MIN_ASKED_MS = 100;

/** How one look at a server went. */
export interface Look {
  readonly error: DurableClientError | null;
  /** The pause that the server asked for. */
  readonly pauseMs: number | undefined;
}

/** Decides when to look again, and whether, after looks that failed or brought nothing. */
export class Reconnecting {
  readonly #options: ResolvedClientOptions;
  readonly #signal: AbortSignal | undefined;
  #failures = 0;
  #invalidCount = 0;

  constructor(options: ResolvedClientOptions, signal: AbortSignal | undefined) {
    this.#options = options;
    this.#signal = signal;
  }

  /** A look has brought something new. */
  progressed(): void {
    this.answered();
    this.understood();
  }

  /** The error, if a later look may do better. @throws it otherwise. */
  transient(error: unknown): DurableClientError {
    this.#signal?.throwIfAborted();
    if (!(error instanceof DurableClientError)) throw error;
    if (error.retryable) return error;
    this.#invalidCount += 1;
    if (error.code === 'response_invalid' && this.#invalidCount <= this.#options.retries)
      return error;
    throw error;
  }

  /** A look was answered, though it may have brought nothing. */
  answered(): void {
    this.#failures = 0;
  }

  /** A look has gone as it should, or failed otherwise than by an answer that nobody understands. */
  understood(): void {
    this.#invalidCount = 0;
  }

  /** Waits before the next look at `url`. */
  async pause(url: string, { error, pauseMs }: Look): Promise<void> {
    const { backoff, onRetry } = this.#options;
    const asked = (error === null ? pauseMs : error.retryAfterMs) ?? 0;
    const isAsked = asked >= MIN_ASKED_MS;
    if (!isAsked) this.#failures += 1;
    const delayMs = isAsked ? asked : backoffMs(this.#failures, backoff);
    onRetry({ url, error, failures: this.#failures, delayMs });
    await delay(delayMs, this.#signal);
  }
}

/** Calls until it works. @throws what no repetition helps against; the signal's reason. */
export async function persist<T>(
  options: ResolvedClientOptions,
  signal: AbortSignal | undefined,
  call: () => Promise<T>,
): Promise<T> {
  const reconnecting = new Reconnecting(options, signal);
  for (;;) {
    try {
      return await call();
    } catch (thrown) {
      const error = reconnecting.transient(thrown);
      await reconnecting.pause(options.baseUrl, { error, pauseMs: undefined });
    }
  }
}
