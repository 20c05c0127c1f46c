import { finding, type Finding } from './finding.ts';

const SENT = ['content-type', 'idempotency-key', 'prefer', 'last-event-id', 'if-none-match'];
const READ = ['etag', 'intent-id', 'location', 'retry-after'];

/** What pages of `origin` may do with the operation at `url`. */
export async function checkCors(
  url: string,
  origin: string,
  headers: Readonly<Record<string, string>>,
  patience: AbortSignal,
): Promise<readonly Finding[]> {
  const signal = AbortSignal.any([patience, AbortSignal.timeout(10_000)]);
  const sent = [...SENT, ...Object.keys(headers)];
  const asked = {
    origin,
    'access-control-request-method': 'POST',
    'access-control-request-headers': sent.join(','),
  };
  const preflight = await fetch(url, { method: 'OPTIONS', headers: asked, signal });
  await preflight.body?.cancel();
  const allowed = preflight.headers.get('access-control-allow-origin');
  if (!preflight.ok || (allowed !== '*' && allowed !== origin)) {
    const advice = `Allow the origin, for instance with cors({ origin: '${origin}' }).`;
    const message = `A preflight is answered ${preflight.status}, for ${allowed ?? 'no origin'}. ${advice}`;
    return [finding('CORS', 'fail', message)];
  }
  const missing = absent(sent, preflight.headers.get('access-control-allow-headers'));
  const actual = await fetch(url, { headers: { ...headers, origin }, signal });
  await actual.body?.cancel();
  const hidden = absent(READ, actual.headers.get('access-control-expose-headers'));
  return [
    missing.length === 0
      ? finding('CORS', 'ok', `${origin} may send what the client sends.`)
      : finding('CORS', 'fail', `Allow these request headers: ${missing.join(', ')}.`),
    hidden.length === 0
      ? finding('CORS exposure', 'ok', 'Pages see the headers that they need.')
      : finding('CORS exposure', 'warn', `Expose these headers: ${hidden.join(', ')}.`),
  ];
}

function absent(wanted: readonly string[], header: string | null): readonly string[] {
  const there = (header ?? '').toLowerCase().split(/\s*,\s*/);
  return there.includes('*') ? [] : wanted.filter((name) => !there.includes(name));
}
