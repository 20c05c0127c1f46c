import type { AttemptContext } from '../../src/engine/operation.ts';
import { openBed, respond, type Bed, type BedOptions } from './bed.ts';

/** What a handler of a test does; what it resolves to is its JSON answer. */
export type Body = (context: AttemptContext) => Promise<unknown>;

/** A bed whose handler answers with what `body` gives. */
export function bedOf(body: Body, options: BedOptions = {}): Bed {
  return openBed(async (_, context) => respond((await body(context)) ?? null), options);
}

/** What the handler answered; undefined when it has not. */
export async function resultOf(bed: Bed, id: string): Promise<unknown> {
  const response = await bed.clock.resolve(bed.api.intents.result(id));
  return response === null ? undefined : JSON.parse(Buffer.from(response.body).toString('utf8'));
}

/** The details of the stored events of a type, `step` for `intent.step`. */
export function detailsOf(bed: Bed, id: string, type: string): unknown[] {
  return (bed.data.entries.get(id)?.commits.flat() ?? [])
    .filter((event) => event.type === `intent.${type}`)
    .map((event) => JSON.parse(event.json).details);
}
