import { HEADERS, isTerminal, type WireEvent } from '@durable-api/protocol';
import { errorOf, parse } from './answer.ts';
import { request, send } from './http.ts';
import type { ResolvedClientOptions } from './options.ts';
import { isEventList, isSnapshot } from './wire.ts';

/** How long one poll waits for a change: below the 30 s at which common proxies give up. */
const WAIT_SECONDS = 20;

/** What a poll brought. */
export interface Polled {
  readonly events: readonly WireEvent[];
  /** Whether nothing will ever follow. */
  readonly isOver: boolean;
}

/** Reads events without a stream: waits for the snapshot to change, then lists what is new. */
export class EventPoll {
  readonly #options: ResolvedClientOptions;
  readonly #url: string;
  readonly #signal: AbortSignal | undefined;
  #known: { readonly seq: number; readonly etag: string | null } | null = null;

  constructor(options: ResolvedClientOptions, url: string, signal: AbortSignal | undefined) {
    this.#options = { ...options, retries: 0 };
    this.#url = url;
    this.#signal = signal;
  }

  /** What has happened after `after`; waits for it unless there was more to read at the last poll. */
  async next(after: number): Promise<Polled> {
    const known = this.#known;
    const waits = known !== null && after >= known.seq;
    const headers: Record<string, string> = { [HEADERS.accept]: 'application/json' };
    if (waits) headers[HEADERS.prefer] = `wait=${WAIT_SECONDS}`;
    if (waits && known.etag !== null) headers[HEADERS.ifNoneMatch] = known.etag;
    const toSend = { method: 'GET', url: this.#url, headers, signal: this.#signal } as const;
    const waitMs = waits ? WAIT_SECONDS * 1_000 : 0;
    const answer = await send(this.#options, { ...toSend, waitMs });
    if (answer.status === 304) return { events: [], isOver: false };
    if (answer.status >= 400) throw errorOf(answer);
    const { seq, status } = parse(answer, isSnapshot);
    this.#known = { seq, etag: answer.headers.get(HEADERS.etag) };
    if (after >= seq) return { events: [], isOver: isTerminal(status) };
    const list = { ...toSend, url: `${this.#url}/events?since=${after}` };
    const { events } = await request(this.#options, list, isEventList);
    return { events, isOver: false };
  }
}
