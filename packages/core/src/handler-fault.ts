/** What a handler can do that no retry mends. */
export type HandlerFaultCode =
  /** It ended without an answer, and nothing is left that could give one. */
  | 'handler_silent'
  /** It passed the request on, although an operation has no next handler. */
  | 'handler_passed'
  /** It answered with something that cannot be stored and served later. */
  | 'response_refused'
  | 'result_too_large'
  /** It used the durable context in a way that cannot work. */
  | 'step_invalid'
  | 'step_duplicate'
  | 'step_nested'
  | 'step_not_json'
  | 'step_too_large'
  | 'start_invalid'
  | 'sleep_invalid'
  | 'wait_invalid'
  | 'output_invalid'
  | 'output_too_large'
  /** It started a child with another input than in an earlier attempt. */
  | 'child_changed'
  /** The delivery of a webhook may not go where it should, …  */
  | 'webhook_refused'
  /** … its receiver wants no more of them, … */
  | 'webhook_gone'
  /** … or the intent was removed before it could be told of. */
  | 'webhook_intent_gone'
  /** It has as many events as an intent may have, and cannot remember more. */
  | 'too_many_events';

/**
 * Thrown by an adapter: the handler cannot work as an operation, and trying again will not help. The
 * message says what to change, and is shown to the caller.
 */
export class HandlerFault extends Error {
  override readonly name = 'HandlerFault';
  readonly code: HandlerFaultCode;

  constructor(code: HandlerFaultCode, message: string) {
    super(message);
    this.code = code;
  }
}

/** The fault of a handler whose response is larger than `maxResultBytes`. */
export function resultTooLarge(bytes: number, maxResultBytes: number): HandlerFault {
  return new HandlerFault(
    'result_too_large',
    `The response has ${bytes} bytes or more, more than maxResultBytes (${maxResultBytes}). ` +
      'Store it elsewhere and answer with a reference.',
  );
}
