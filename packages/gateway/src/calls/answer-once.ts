import { createHash } from 'node:crypto';
import type { Claimed, FullReply, IntentRecord } from '@durable-api/core';
import { isTerminal } from '@durable-api/protocol';
import type { GatewayCore } from '../gateway-core.ts';
import { AxpError } from '../http/errors.ts';
import { isObject, type JsonObject } from '../http/json.ts';
import { ok, rawOk, type GatewayRequest } from '../http/route.ts';
import { idempotencyOf, keyReused } from '../intents/idempotent-call.ts';
import { derivedId } from '../storage/derived-id.ts';
import { addTo, endlessContent, findOrBegin } from '../storage/endless-intent.ts';

/** The operation of calls with an idempotency key that change no intent. */
export const CALL = 'axp.call';
/** The note that has the answer. */
const ANSWER = 'answer';
/** After how long a call that nobody has answered is taken for cut short, in ms. */
const CUT_SHORT_MS = 30_000;
/** How long a request waits for another one with its key, in ms. */
const WAIT_MS = 10_000;
/** How long one that was cut short is kept, in ms. */
const KEPT_MS = 24 * 3_600_000;

/**
 * Answers a call that writes something else than an intent: once per idempotency key. Its answer is kept, also
 * when it was refused; a second request at the same time waits for it.
 */
export async function answerOnce(
  core: GatewayCore,
  request: GatewayRequest,
  endpoint: string,
  answer: () => Promise<JsonObject>,
): Promise<FullReply> {
  const identity = idempotencyOf(request, endpoint, request.body);
  if (identity === null) return ok(await answer());
  const { ledger } = core;
  const id = derivedId(CALL, createHash('sha256').update(identity.key).digest('hex'));
  const content = { fingerprint: identity.fingerprint };
  const dueAt = ledger.now() + KEPT_MS;
  const begun = await findOrBegin(ledger, { id, operation: CALL, content, dueAt });
  const record = begun.isNew ? begun.record : await takeOver(core, id, identity.fingerprint);
  if (!('seq' in record)) return record;
  let kept: JsonObject;
  let refused: AxpError | null = null;
  try {
    kept = { answer: await answer() };
  } catch (error) {
    if (!(error instanceof AxpError) || error.status >= 500) throw error;
    refused = error;
    const { status, code, message, options } = error;
    kept = { refused: { status, code, message, details: options.details ?? {} } };
  }
  const notes = [{ key: ANSWER, value: JSON.stringify(kept) }];
  await addTo(ledger, record, { entries: [{}], notes, isEnd: true });
  if (refused !== null) throw refused;
  return rawOk(JSON.stringify(kept['answer']));
}

/** Ends a call that was cut short and never repeated. */
export async function seeToCall({ ledger }: GatewayCore, { record }: Claimed): Promise<void> {
  await addTo(ledger, record, { entries: [{}], isEnd: true });
}

/** The answer of an earlier call; its record when there is none and nobody is about to give it. */
async function takeOver(
  { ledger }: GatewayCore,
  id: string,
  fingerprint: string,
): Promise<FullReply | IntentRecord> {
  const waitsUntil = ledger.now() + WAIT_MS;
  for (;;) {
    const [withInput] = await ledger.get({ ids: [id], include: 'input' });
    const [withNotes] = await ledger.get({ ids: [id], include: 'notes' });
    if (withInput === undefined || withNotes === undefined) throw inProgress();
    if (endlessContent(withInput)['fingerprint'] !== fingerprint) throw keyReused();
    const { record, notes = [] } = withNotes;
    if (isTerminal(record.status)) {
      return replay(notes.find((note) => note.key === ANSWER)?.value ?? '{}');
    }
    const now = ledger.now();
    if (record.updatedAt + CUT_SHORT_MS <= now) {
      const taken = await addTo(ledger, record, {
        entries: [{}],
        record: { dueAt: now + KEPT_MS },
      });
      if (taken?.isWritten === true) return taken.record;
      continue;
    }
    if (now >= waitsUntil) throw inProgress();
    const enough = (change: { readonly record: IntentRecord }): boolean =>
      change.record.seq > record.seq;
    await ledger.waitFor({ record, timeoutMs: waitsUntil - now, enough }).change;
  }
}

function replay(json: string): FullReply {
  const kept: unknown = JSON.parse(json);
  if (!isObject(kept)) throw inProgress();
  const { refused, answer } = kept;
  if (isObject(answer)) return ok(answer);
  if (!isObject(refused)) throw inProgress();
  const details = isObject(refused['details']) ? refused['details'] : {};
  const { status, code, message } = refused;
  throw new AxpError(Number(status), String(code), String(message), { details });
}

function inProgress(): AxpError {
  const message = 'A request with this Idempotency-Key is being answered; try again.';
  return new AxpError(503, 'call_in_progress', message);
}
