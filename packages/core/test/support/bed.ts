import { snapshotSchema, submittedSchema, type WireSnapshot } from '@durable-api/protocol';
import { expect } from 'vitest';
import { DurableApi } from '../../src/durable-api.ts';
import type { AttemptContext, Operation } from '../../src/engine/operation.ts';
import type { CapturedRequest, PlainReply, PlainRequest } from '../../src/http/exchange.ts';
import type { DurableApiOptions, OperationOptions } from '../../src/options.ts';
import type { StoredResponse } from '../../src/state/intent.ts';
import { memoryData, memoryStore, type MemoryData } from '../../src/store/memory-store.ts';
import { TestSink } from './test-sink.ts';
import { VirtualClock } from './virtual-clock.ts';

/** What a test says of a request; the rest is usual. */
export interface RequestParts {
  readonly headers?: PlainRequest['headers'];
  readonly query?: string;
  readonly body?: unknown;
  readonly source?: string;
  readonly onClose?: (leave: () => void) => void;
}

/** The path at which tests mount their operation. */
export const PATH = '/reports';

/** A request as an adapter would translate it. */
export function plainRequest(
  method: string,
  subPath: string,
  parts: RequestParts = {},
): PlainRequest<string> {
  const { headers = {}, query = '', body = { quarter: 'Q3' }, source = '' } = parts;
  return {
    source,
    method,
    operationPath: PATH,
    subPath,
    query,
    headers,
    capture: (): CapturedRequest => ({
      identity: { method, url: `${PATH}${subPath}${query && '?'}${query}` },
      body,
      rest: {},
    }),
    body: () => body,
    onClose: (leave) => parts.onClose?.(leave),
  };
}

/** A handler's response. */
export function respond(value: unknown = { done: true }, status = 200): StoredResponse {
  const body = Buffer.from(JSON.stringify(value));
  return { status, headers: { 'content-type': 'application/json' }, body };
}

export type Handler = (input: unknown, context: AttemptContext) => Promise<StoredResponse>;

/** A durable API on a virtual clock, with one operation. */
export interface Bed {
  readonly api: DurableApi<string>;
  readonly clock: VirtualClock;
  readonly data: MemoryData;
  readonly operation: Operation;
  handle(method: string, subPath: string, parts?: RequestParts): Promise<PlainReply>;
  /** Submits and returns the intent's id. */
  submit(parts?: RequestParts): Promise<string>;
  snapshot(id: string): Promise<WireSnapshot>;
  /** The stored events, `created` for `intent.created`. */
  eventTypes(id: string): string[];
  observe(id: string, parts?: RequestParts): Promise<TestSink>;
}

export type BedOptions = Partial<DurableApiOptions<string>> & {
  readonly clock?: VirtualClock;
  readonly data?: MemoryData;
  readonly operation?: OperationOptions<string>;
};

/** Opens a {@link Bed} whose operation is `handler`. */
export function openBed(handler: Handler, options: BedOptions = {}): Bed {
  const { operation: operationOptions, data = memoryData(), ...own } = options;
  const { clock = new VirtualClock() } = options;
  const api = new DurableApi<string>({ store: memoryStore(data), ...own, clock });
  const operation = api.declare({ name: 'reports.generate', run: handler }, operationOptions);
  const handle: Bed['handle'] = async (method, subPath, parts) => {
    const reply = await clock.resolve(api.handle(operation, plainRequest(method, subPath, parts)));
    if (reply === null) throw new Error(`${method} ${subPath} is none of the operation's.`);
    return reply;
  };
  const bed: Bed = {
    api,
    clock,
    data,
    operation,
    handle,
    async submit(parts) {
      const reply = await handle('POST', '/', parts);
      expect(reply.status).toBe(202);
      return submittedSchema.parse(jsonOf(reply)).intent_id;
    },
    async snapshot(id) {
      return snapshotSchema.parse(jsonOf(await handle('GET', `/${id}`)));
    },
    eventTypes(id) {
      const events = data.entries.get(id)?.commits.flat() ?? [];
      return events.map((event) => event.type.replace('intent.', ''));
    },
    async observe(id, parts) {
      const reply = await handle('GET', `/${id}/events`, parts);
      if (reply.kind !== 'stream') throw new Error(`Answered ${reply.status} instead of a stream.`);
      const sink = new TestSink();
      reply.open(sink);
      return sink;
    },
  };
  return bed;
}

/** The body of a reply as JSON. */
export function jsonOf(reply: PlainReply): unknown {
  if (reply.kind === 'stream') throw new Error('A stream has no JSON body.');
  return JSON.parse(Buffer.from(reply.body).toString('utf8'));
}

/** Settles when `signal` is aborted, with its reason. */
export function aborted(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    if (signal.aborted) reject(signal.reason);
    else signal.addEventListener('abort', () => reject(signal.reason), { once: true });
  });
}
