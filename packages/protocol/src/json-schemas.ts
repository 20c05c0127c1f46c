import { z } from 'zod';
import { eventListSchema } from './event.ts';
import { problemSchema } from './problem.ts';
import { signaledSchema } from './signaled.ts';
import { snapshotSchema } from './snapshot.ts';
import { submittedSchema } from './submitted.ts';
import { ticketSchema } from './ticket.ts';

/** A JSON Schema of the kind that OpenAPI 3.0 takes. */
export type WireJsonSchema = Record<string, unknown>;

/** The documents of the wire by name. */
export type WireJsonSchemas = Readonly<
  Record<'submitted' | 'snapshot' | 'eventList' | 'signaled' | 'ticket' | 'problem', WireJsonSchema>
>;

/**
 * The documents of the wire as JSON Schemas, for what describes an API. Each call makes new ones, which
 * the caller may change.
 */
export function wireJsonSchemas(): WireJsonSchemas {
  return {
    submitted: jsonSchema(submittedSchema),
    snapshot: jsonSchema(snapshotSchema),
    eventList: jsonSchema(eventListSchema),
    ticket: jsonSchema(ticketSchema),
    signaled: jsonSchema(signaledSchema),
    problem: jsonSchema(problemSchema),
  };
}

function jsonSchema(schema: z.ZodType): WireJsonSchema {
  // As input, so that later members of a document do not make it invalid.
  return z.toJSONSchema(schema, {
    target: 'openapi-3.0',
    io: 'input',
    override({ jsonSchema: one }) {
      if (one.format === 'date-time') delete one.pattern;
      if (one.minimum === Number.MIN_SAFE_INTEGER) delete one.minimum;
      if (one.maximum === Number.MAX_SAFE_INTEGER) delete one.maximum;
    },
  });
}
