import { DurableApi } from '../../src/durable-api.ts';
import type { AttemptContext, OperationDefinition } from '../../src/engine/operation.ts';
import type { DurableApiOptions } from '../../src/options.ts';
import type { IntentRecord } from '../../src/state/intent.ts';
import { memoryData, memoryStore, type MemoryData } from '../../src/store/memory-store.ts';
import { respond } from './bed.ts';
import { VirtualClock } from './virtual-clock.ts';

/** What a handler of a deploy does; what it resolves to is its JSON answer. */
export type Run = (context: AttemptContext) => Promise<unknown>;

/** Processes of different code on one store. */
export interface Deploys {
  readonly clock: VirtualClock;
  readonly data: MemoryData;
  /** A process that declares nothing yet. */
  readonly open: (options?: Partial<DurableApiOptions>) => DurableApi;
  /** Submits an intent from code of a process. */
  readonly submit: (api: DurableApi, name?: string) => Promise<string>;
  readonly record: (id: string) => IntentRecord;
  readonly statusOf: (id: string) => string | undefined;
  /** The types of its events, `created` for `intent.created`. */
  readonly events: (id: string) => string[];
}

/** Opens {@link Deploys} on a virtual clock. */
export function openDeploys(): Deploys {
  const clock = new VirtualClock();
  const data = memoryData();
  return {
    clock,
    data,
    open: (options) =>
      new DurableApi({ store: memoryStore(data), clock, random: () => 0, ...options }),
    submit: async (api, name = 'report') =>
      (await clock.resolve(api.intents.submit(name))).record.id,
    record(id) {
      const entry = data.entries.get(id);
      if (entry === undefined) throw new Error('The intent is gone.');
      return entry.record;
    },
    statusOf: (id) => data.entries.get(id)?.record.status,
    events: (id) =>
      (data.entries.get(id)?.commits.flat() ?? []).map(({ type }) => type.replace('intent.', '')),
  };
}

/** An operation whose handler answers with what `run` gives. */
export function handler(run: Run, name = 'report'): OperationDefinition {
  return { name, run: async (_, context) => respond((await run(context)) ?? null) };
}

/** A handler that answers with `text`. */
export function answered(text: string): Run {
  return async () => text;
}
