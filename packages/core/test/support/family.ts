import type { AttemptContext } from '../../src/engine/operation.ts';
import type { OperationOptions } from '../../src/options.ts';
import type { IntentRecord, StoredResponse } from '../../src/state/intent.ts';
import { openBed, respond, type Bed, type BedOptions } from './bed.ts';
import type { Body } from './handled.ts';

/** What a child does with the body that it was started with; a response, or its JSON answer. */
export type ChildBody = (body: unknown, context: AttemptContext) => Promise<unknown>;

/** Operations beside that of the bed, by their names. */
export type Children = Readonly<
  Record<string, ChildBody | { readonly run: ChildBody; readonly options: OperationOptions }>
>;

/** A bed whose operation is `parent`, with others that it may start. */
export function familyOf(parent: Body, children: Children, options: BedOptions = {}): Bed {
  const bed = openBed(async (_, context) => respond((await parent(context)) ?? null), options);
  for (const [name, child] of Object.entries(children)) {
    const { run, options: own } = typeof child === 'function' ? { run: child, options: {} } : child;
    bed.api.declare(
      {
        name,
        run: async (input, context) => {
          const answer = await run(Reflect.get(Object(input), 'body'), context);
          return isResponse(answer) ? answer : respond(answer ?? null);
        },
        compose: (parts) => ({ ...parts }),
      },
      own,
    );
  }
  return bed;
}

function isResponse(answer: unknown): answer is StoredResponse {
  return typeof answer === 'object' && answer !== null && 'headers' in answer && 'body' in answer;
}

/** The children of an intent, in the order in which they were stored. */
export function childrenOf({ data }: Bed, id: string): IntentRecord[] {
  return [...data.entries.values()]
    .map(({ record }) => record)
    .filter(({ parentIntentId }) => parentIntentId === id);
}

/** The record of an intent as it is stored. */
export function recordOf({ data }: Bed, id: string): IntentRecord {
  const entry = data.entries.get(id);
  if (entry === undefined) throw new Error('The intent is gone.');
  return entry.record;
}

/** A wait of `ms` of virtual time that is no durable sleep. */
export function work(bed: () => Bed, ms: number): Promise<void> {
  return new Promise((resolve) => void bed().clock.setTimeout(resolve, ms));
}
