import * as z from 'zod/mini';

/** An instant as RFC 3339 in UTC, for instance `2026-11-24T10:00:00.000Z`. */
export const instantSchema = z
  .string()
  .check(z.regex(/^\d{4}-[01]\d-[0-3]\dT[0-2]\d:[0-5]\d:[0-6]\d(\.\d+)?Z$/));
