import { z } from 'zod';
import { intentLinks, linksSchema } from './links.ts';

/** The body of the `202` that answers a submit. It is the same for every replay of a key. */
export const submittedSchema = z.object({
  ok: z.literal(true),
  intent_id: z.string(),
  status: z.literal('SUBMITTED'),
  created_at: z.iso.datetime(),
  links: linksSchema,
});

export type WireSubmitted = z.infer<typeof submittedSchema>;

/** Maps an accepted intent to the body of its `202`. `createdAt` is milliseconds since the epoch. */
export function encodeSubmitted(
  operationPath: string,
  intentId: string,
  createdAt: number,
): WireSubmitted {
  return {
    ok: true,
    intent_id: intentId,
    status: 'SUBMITTED',
    created_at: new Date(createdAt).toISOString(),
    links: intentLinks(operationPath, intentId),
  };
}
