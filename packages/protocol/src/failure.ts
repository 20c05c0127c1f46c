import { z } from 'zod';

/** Why an attempt or an intent failed, as stored and as sent. */
export const failureSchema = z.object({
  code: z.string(),
  message: z.string(),
  retryable: z.boolean(),
});

export type Failure = z.infer<typeof failureSchema>;
