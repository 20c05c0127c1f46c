import {
  DURABLE_CONTEXT,
  HandlerFault,
  isStreamedAnswer,
  putOut,
  responseOfHttpError,
  type AttemptContext,
  type StoredResponse,
} from '@durable-api/core';
import type { Request, RequestHandler, Response } from 'express';
import { captureResponse, closeResponse } from './captured-response.ts';
import { DetachedSocket } from './detached-socket.ts';
import { restoreRequest, type KeptRequest } from './kept-request.ts';
import type { MessageFactory } from './message-factory.ts';
import { Outcome } from './outcome.ts';
import { isAnswer } from './returned-value.ts';
import { writeAll } from './streamed-value.ts';
import type { SilenceWatch } from './silence-watch.ts';

/** What calls of one handler have in common. */
export interface HandlerSetup {
  /** The operation's name, for messages. */
  readonly name: string;
  readonly handler: RequestHandler;
  readonly maxResultBytes: number;
  readonly silence: SilenceWatch;
  /** Gives the request back what `capture` kept. */
  restore(captured: unknown, req: Request): void;
}

/** What one call is made with. */
export interface HandlerCall {
  readonly messages: MessageFactory;
  readonly kept: KeptRequest;
  readonly body: unknown;
  readonly context: AttemptContext;
}

/**
 * Calls an Express handler without a client and resolves to what it answered: what it wrote to `res`,
 * or plain data that it returned. Rejects with what it threw or passed to `next`.
 */
export function callHandler(setup: HandlerSetup, call: HandlerCall): Promise<StoredResponse> {
  const { context, kept } = call;
  const outcome = new Outcome();
  const socket = new DetachedSocket(kept.isSecure);
  const { req, res } = call.messages.create(socket, { ...kept.headers });
  captureResponse(res, outcome, {
    maxBytes: setup.maxResultBytes,
    show: (bytes, contentType) => putOut(context, bytes, contentType),
  });
  socket.onDestroy = (error) => {
    outcome.fail(
      error ?? context.signal.reason ?? new Error('The handler destroyed its response.'),
    );
    closeResponse(res);
  };
  const next = nextOf(setup, res, outcome);
  req.next = next;
  Reflect.set(req, DURABLE_CONTEXT, context);
  try {
    restoreRequest(req, kept, call.body);
    if (kept.captured !== undefined) setup.restore(kept.captured, req);
    const returned: unknown = setup.handler(req, res, next);
    if (isPromise(returned)) awaitReturn(setup, returned, res, outcome, context);
    else settleByValue(setup, returned, false, res, outcome);
  } catch (thrown) {
    settleByThrow(thrown, res, outcome);
  }
  // Who has answered already needs to hear of no abort.
  if (!outcome.isSettled) closeOnAbort(context.signal, new WeakRef(res));
  return outcome.promise;
}

function nextOf(
  { name }: HandlerSetup,
  res: Response,
  outcome: Outcome,
): (error?: unknown) => void {
  return (error) => {
    if (error !== undefined && error !== null && error !== 'route' && error !== 'router') {
      settleByThrow(error, res, outcome);
      return;
    }
    const message =
      `The handler of "${name}" called next() instead of answering, and no handler follows an ` +
      'operation. Answer with res, return a value, or pass next() an error.';
    outcome.fail(new HandlerFault('handler_passed', message));
  };
}

// Holds the response until the handler has returned, whether that still refers to it or not: what it
// returns may be the answer. After that, only what may still answer keeps it alive.
function awaitReturn(
  setup: HandlerSetup,
  returned: PromiseLike<unknown>,
  res: Response,
  outcome: Outcome,
  { signal }: AttemptContext,
): void {
  returned.then(
    (value) => {
      if (outcome.isSettled) return;
      if (signal.aborted) outcome.fail(signal.reason);
      else settleByValue(setup, value, true, res, outcome);
    },
    (thrown: unknown) => settleByThrow(thrown, res, outcome),
  );
}

// An error that names a response below 500 is an answer, unless another one has begun.
function settleByThrow(thrown: unknown, res: Response, outcome: Outcome): void {
  const response = res.headersSent ? null : responseOfHttpError(thrown);
  if (response === null) outcome.fail(thrown);
  else outcome.answer(response);
}

function settleByValue(
  setup: HandlerSetup,
  value: unknown,
  isAwaited: boolean,
  res: Response,
  outcome: Outcome,
): void {
  if (outcome.isSettled) return;
  if (value !== undefined && !res.headersSent && isStreamedAnswer(value)) {
    writeAll(value, res).catch((error: unknown) => outcome.fail(error));
  } else if (value === undefined || res.headersSent || !isAnswer(value, isAwaited)) {
    setup.silence.watch(setup.name, res, outcome);
  } else answer(res, value, outcome);
}

function answer(res: Response, value: unknown, outcome: Outcome): void {
  try {
    if (value instanceof Uint8Array) res.send(Buffer.from(value));
    else res.json(value);
  } catch (thrown) {
    outcome.fail(thrown);
  }
}

// Held weakly, so that the signal alone does not keep a response alive that nobody answers with.
function closeOnAbort(signal: AbortSignal, ref: WeakRef<Response>): void {
  const close = (): void => {
    const res = ref.deref();
    if (res !== undefined) closeResponse(res);
  };
  if (signal.aborted) close();
  else signal.addEventListener('abort', close, { once: true });
}

function isPromise(value: unknown): value is PromiseLike<unknown> {
  return (
    typeof value === 'object' &&
    value !== null &&
    'then' in value &&
    typeof value.then === 'function'
  );
}
