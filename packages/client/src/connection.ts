import { DurableClientError } from './errors.ts';
import { LONGEST_TIMER_MS, type ResolvedClientOptions } from './options.ts';
import { untilAborted } from './until-aborted.ts';
import type { FetchInit, FetchResponse } from './transport/fetch.ts';

/** One request, ready to be sent any number of times. */
export interface HttpRequest {
  readonly method: 'GET' | 'POST';
  readonly url: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
  readonly signal?: AbortSignal | undefined;
  /** Whether a good answer may be something else than JSON, such as a handler's own. */
  readonly mayBeAnything?: boolean;
  /** How long the server was asked to take. Default 0. */
  readonly waitMs?: number;
}

type Timer = ReturnType<typeof setTimeout>;

interface ConnectionSetup {
  readonly request: HttpRequest;
  readonly response: FetchResponse;
  readonly abort: AbortController;
  readonly timer: Timer;
  readonly release: () => void;
}

/** A request under way: its answer's head has arrived, its body may still come. */
export class Connection {
  readonly response: FetchResponse;
  readonly #abort: AbortController;
  readonly #release: () => void;
  readonly #request: HttpRequest;
  readonly #timer: Timer;

  private constructor(setup: ConnectionSetup) {
    this.response = setup.response;
    this.#request = setup.request;
    this.#abort = setup.abort;
    this.#release = setup.release;
    this.#timer = setup.timer;
  }

  /**
   * Sends a request. The time limit holds until {@link Connection.untimed} is called, the signal until
   * {@link Connection.close}.
   * @throws DurableClientError `network` or `timeout`; the signal's reason; what `headers()` throws.
   */
  static async open(
    options: ResolvedClientOptions,
    request: HttpRequest,
    timeoutMs: number = Math.min(options.timeoutMs + (request.waitMs ?? 0), LONGEST_TIMER_MS),
  ): Promise<Connection> {
    const { signal } = request;
    signal?.throwIfAborted();
    const abort = new AbortController();
    const forward = (): void => abort.abort(signal?.reason);
    signal?.addEventListener('abort', forward);
    const timer = setTimeout(() => abort.abort(timeout(request, timeoutMs)), timeoutMs);
    const release = (): void => {
      clearTimeout(timer);
      signal?.removeEventListener('abort', forward);
    };
    try {
      const own = await untilAborted(options.headers(), abort.signal);
      const init: FetchInit = {
        method: request.method,
        headers: { ...own, ...request.headers },
        signal: abort.signal,
        credentials: options.credentials,
        cache: 'no-store',
        redirect: 'manual',
        ...(request.body !== undefined && { body: request.body }),
      };
      const answer = options.fetch(request.url, init);
      const response = await answer.catch((error: unknown) => fail(request, abort, error));
      return new Connection({ request, response, abort, timer, release });
    } catch (error) {
      release();
      throw error;
    }
  }

  /** Lifts the time limit. */
  untimed(): void {
    clearTimeout(this.#timer);
  }

  /** The rest of the body. @throws like {@link Connection.open}. */
  async bytes(): Promise<ArrayBuffer> {
    return this.guard(this.response.arrayBuffer());
  }

  /** Waits for a part of the body, and tells a lost connection from an abort. */
  async guard<T>(part: Promise<T>): Promise<T> {
    return part.catch((error: unknown) => fail(this.#request, this.#abort, error));
  }

  /** Breaks the connection: what waits for it gets `reason`. */
  break(reason: unknown): void {
    this.#abort.abort(reason);
  }

  /** Lets go of the connection; an unfinished body is given up. */
  close(): void {
    this.#release();
    this.#abort.abort();
  }
}

function fail({ method, url }: HttpRequest, abort: AbortController, error: unknown): never {
  if (abort.signal.aborted) throw abort.signal.reason;
  const message = `${method} ${url} got no answer: the server cannot be reached, or CORS forbids it.`;
  throw new DurableClientError('network', message, { cause: error, retryable: true });
}

function timeout({ method, url }: HttpRequest, ms: number): DurableClientError {
  const message = `${method} ${url} was not answered within ${ms} ms.`;
  return new DurableClientError('timeout', message, { retryable: true });
}
