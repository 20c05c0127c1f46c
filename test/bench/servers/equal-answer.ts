const id = '01a21317-abda-7a97-9a9f-88a52dad4cd4';
const self = `/op/${id}`;

/**
 * What a submit is answered with, as constants: what a framework spends on such an answer by itself is the
 * framework's cost, and is not to be charged to the adapter.
 */
export const equalStatus = 202;

export const equalHeaders = {
  'cache-control': 'no-store',
  'x-content-type-options': 'nosniff',
  'content-type': 'application/json; charset=utf-8',
  location: self,
  'intent-id': id,
  link: `<${self}>; rel="status", <${self}/events>; rel="monitor"`,
  'retry-after': '1',
  vary: 'Accept, Prefer',
} as const;

export const equalBody: string = JSON.stringify({
  ok: true,
  intent_id: id,
  status: 'SUBMITTED',
  created_at: '2026-11-25T14:24:08.154Z',
  links: {
    self,
    events: `${self}/events`,
    result: `${self}/result`,
    cancel: `${self}/cancel`,
  },
});
