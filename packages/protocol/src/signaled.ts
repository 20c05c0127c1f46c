import { z } from 'zod';

/**
 * The answer of `POST P/{id}/signals/{name}`: the signal is stored, as the event `seq`, and the handler is
 * given it when it waits for it.
 */
export const signaledSchema = z.object({
  ok: z.literal(true),
  intent_id: z.string(),
  signal: z.string(),
  seq: z.int().min(1),
});

export type WireSignaled = z.infer<typeof signaledSchema>;
