import { z } from 'zod';

/**
 * The answer of `POST P/{id}/ticket`: leave to observe the intent once, for `EventSource`, which cannot
 * send headers. `url` is the event stream with the ticket in it, relative to the origin.
 */
export const ticketSchema = z.object({
  ok: z.literal(true),
  intent_id: z.string(),
  ticket: z.string(),
  expires_at: z.iso.datetime(),
  url: z.string(),
});

export type WireTicket = z.infer<typeof ticketSchema>;
