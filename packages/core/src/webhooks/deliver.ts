import {
  encodeWebhook,
  HEADERS,
  intentLinks,
  isTerminal,
  MEDIA_TYPES,
} from '@durable-api/protocol';
import type { AttemptContext } from '../engine/operation.ts';
import type { Clock } from '../clock.ts';
import type { Engine } from '../engine/engine.ts';
import { isDurableError, WaitTimeoutError } from '../errors.ts';
import { HandlerFault } from '../handler-fault.ts';
import type { StoredResponse } from '../state/intent.ts';
import { inlineResult } from '../state/inline-result.ts';
import type { Found } from '../store/store.ts';
import { DeliveryError, refusalOf } from './delivery-error.ts';
import { decodeDelivery, ENDED_SIGNAL, type DeliveryInput } from './delivery-input.ts';
import { MOMENT_MS } from './notices.ts';
import { post } from './post.ts';
import { signatureHeaders } from './signature.ts';
import type { WebhookAnswer, WebhookPost } from './webhook-options.ts';
import type { Webhooks } from './webhooks.ts';

/** What a delivery needs. */
export interface DeliverSetup {
  readonly engine: Pick<Engine, 'find' | 'hub' | 'clock'>;
  readonly webhooks: Webhooks;
}

/** Between looks for an end that nobody tells of, in ms: a minute at first, an hour at last. */
const FIRST_LOOK_MS = 60_000;
const LAST_LOOK_MS = 3_600_000;

/** One attempt of a delivery: waits for the intent's end, if it must, and tells it. */
export async function deliver(
  setup: DeliverSetup,
  input: unknown,
  context: AttemptContext,
): Promise<StoredResponse> {
  const delivery = decodeDelivery(input);
  const found = await whenEnded(setup, delivery.intentId, context);
  const read = (): string => bodyOf(found, delivery);
  // The intent may be removed before the last attempt: the first that fails remembers what to say of it.
  const body = context.attempt === 1 ? read() : await context.step('payload', read);
  try {
    const status = await send(setup, delivery, body, context);
    return { status: 200, headers: JSON_HEADERS, body: answerOf(delivery, status) };
  } catch (error) {
    if (context.attempt === 1 && !(error instanceof HandlerFault) && !context.signal.aborted)
      await context.step('payload', () => body);
    throw error;
  }
}

const JSON_HEADERS = { 'content-type': 'application/json' };

function answerOf({ intentId, url }: DeliveryInput, status: number): Buffer {
  return Buffer.from(JSON.stringify({ intent_id: intentId, url, status_code: status }));
}

/** The intent once it has ended; undefined when it was removed. */
async function whenEnded(
  { engine }: DeliverSetup,
  intentId: string,
  { attempt, signal, waitFor }: Pick<AttemptContext, 'attempt' | 'signal' | 'waitFor'>,
): Promise<Found | undefined> {
  const find = (): Promise<Found | undefined> => engine.find(intentId, 'result');
  let found = await find();
  if (attempt === 1 && found !== undefined && !isTerminal(found.record.status)) {
    // Its end is being written right now, unless the process that wanted to write it died.
    const wait = engine.hub.waitFor({
      record: found.record,
      timeoutMs: MOMENT_MS,
      enough: ({ record }) => isTerminal(record.status),
    });
    signal.addEventListener('abort', () => wait.cancel(), { once: true });
    await wait.change;
    found = await find();
  }
  for (let lookMs = FIRST_LOOK_MS; ; lookMs = Math.min(2 * lookMs, LAST_LOOK_MS)) {
    if (found === undefined || isTerminal(found.record.status)) return found;
    try {
      await waitFor(ENDED_SIGNAL, { timeoutMs: lookMs });
    } catch (error) {
      if (!(error instanceof WaitTimeoutError)) throw error;
    }
    found = await find();
  }
}

/** What is sent; the same in each attempt, since an end never changes. */
function bodyOf(found: Found | undefined, { intentId, path }: DeliveryInput): string {
  const { record, result } = found ?? {};
  const { status } = record ?? {};
  if (record === undefined || status === undefined || !isTerminal(status)) {
    const message = `The intent ${intentId} was removed before its end could be told.`;
    throw new HandlerFault('webhook_intent_gone', message);
  }
  const links = path === null ? null : intentLinks(path, intentId);
  const details = result === undefined ? {} : inlineResult(result);
  return JSON.stringify(encodeWebhook({ ...record, status }, links, details));
}

/** Resolves to the status of the receiver's answer, a success. */
async function send(
  { engine: { clock }, webhooks }: DeliverSetup,
  { intentId, url }: DeliveryInput,
  body: string,
  { owner, signal }: Pick<AttemptContext, 'owner' | 'signal'>,
): Promise<number> {
  const { options } = webhooks;
  const signed = await signatureHeaders(options.secret, owner, intentId, clock.now(), body);
  const headers = {
    [HEADERS.contentType]: MEDIA_TYPES.json,
    'user-agent': 'durable-api',
    ...signed,
  };
  const answer = await answerTo(
    webhooks,
    { url: stillAllowed(webhooks, url), headers, body, signal },
    clock,
  );
  const refusal = refusalOf(answer, clock.now());
  if (refusal !== null) throw refusal;
  return answer.status;
}

/** Makes a POST, in the way that the options say. */
export async function answerTo(
  { options, addresses }: Webhooks,
  what: WebhookPost,
  clock: Clock,
): Promise<WebhookAnswer> {
  const { timeoutMs, ca } = options;
  if (options.send === undefined) return post(what, { addresses, clock, timeoutMs, ca });
  const answer = await options.send(what);
  const { status }: { status?: unknown } = Object(answer);
  if (Number.isInteger(status)) return answer;
  throw new DeliveryError('webhooks.send gave no status.');
}

/** The options may have changed since the submit. */
function stillAllowed(webhooks: Webhooks, url: string): string {
  try {
    return webhooks.check(url);
  } catch (error) {
    if (!isDurableError(error)) throw error;
    throw new HandlerFault('webhook_refused', error.message);
  }
}
