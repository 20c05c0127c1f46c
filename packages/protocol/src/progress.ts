import { z } from 'zod';

/** How far a handler has come. `fraction` is between 0 and 1. */
export const progressSchema = z.object({
  fraction: z.number().min(0).max(1).optional(),
  current: z.number().optional(),
  total: z.number().optional(),
  message: z.string().optional(),
});

export type Progress = z.infer<typeof progressSchema>;
