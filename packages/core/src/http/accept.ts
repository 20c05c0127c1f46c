import { MEDIA_TYPES } from '@durable-api/protocol';

const JSON_TYPE = 'application/json';

/**
 * Whether an `Accept` header names `text/event-stream`, and wants nothing of ours more. A wildcard does
 * not ask for a stream.
 */
export function wantsStream(accept: string | undefined): boolean {
  if (accept === undefined || !accept.toLowerCase().includes(MEDIA_TYPES.sse)) return false;
  const quality = qualityOf(accept, MEDIA_TYPES.sse);
  return quality > 0 && quality >= qualityOf(accept, JSON_TYPE);
}

/** Which form of the event list an `Accept` header asks for; a stream when it has no preference. */
export function eventsForm(accept: string | undefined): 'stream' | 'list' | null {
  const stream = qualityOf(accept, MEDIA_TYPES.sse);
  const list = qualityOf(accept, JSON_TYPE);
  if (stream <= 0 && list <= 0) return null;
  return list > stream ? 'list' : 'stream';
}

/** Whether an `Accept` header names `type`, and wants nothing else more. */
export function prefers(accept: string | undefined, type: string): boolean {
  if (accept === undefined || !accept.toLowerCase().includes(type)) return false;
  const quality = qualityOf(accept, type);
  return quality > 0 && quality >= qualityOf(accept, 'text/plain');
}

/** The quality that an `Accept` header gives to `type` (RFC 9110 §12.5.1); 1 without a header. */
function qualityOf(accept: string | undefined, type: string): number {
  if (accept === undefined) return 1;
  const [group = ''] = type.split('/');
  let best = { specificity: -1, quality: 0 };
  for (const part of accept.split(',')) {
    const [range = '', ...parameters] = part.split(';');
    const specificity = [`*/*`, `${group}/*`, type].indexOf(range.trim().toLowerCase());
    if (specificity <= best.specificity) continue;
    const q = parameters.find((parameter) => /^\s*q\s*=/i.test(parameter));
    const quality = q === undefined ? 1 : Number(q.split('=')[1]);
    best = { specificity, quality: Number.isFinite(quality) ? quality : 1 };
  }
  return best.quality;
}
