import { z } from 'zod';

/** Where an intent can be read, observed, collected and cancelled; relative to the origin. */
export const linksSchema = z.object({
  self: z.string(),
  events: z.string(),
  result: z.string(),
  cancel: z.string(),
});

export type Links = z.infer<typeof linksSchema>;

/** The links of an intent of the operation whose own path is `operationPath`. */
export function intentLinks(operationPath: string, intentId: string): Links {
  const self = `${operationPath === '/' ? '' : operationPath}/${intentId}`;
  return { self, events: `${self}/events`, result: `${self}/result`, cancel: `${self}/cancel` };
}
