import * as z from 'zod/mini';

/** How far a handler has come. `fraction` is between 0 and 1. */
export const progressSchema = z.object({
  fraction: z.optional(z.number().check(z.minimum(0), z.maximum(1))),
  current: z.optional(z.number()),
  total: z.optional(z.number()),
  message: z.optional(z.string()),
});

export type Progress = z.infer<typeof progressSchema>;
