import { HEADERS } from '@durable-api/protocol';
import { errorOf, parseJson, textOf, type Answer } from '../answer.ts';
import { parseRetryAfter } from '../backoff.ts';
import { DurableClientError } from '../errors.ts';
import { isFlag, isText, object, type Guard } from '../wire.ts';

interface GatewayFailure {
  readonly error: { readonly code: string; readonly message: string; readonly retryable?: boolean };
}

const isGatewayFailure: Guard<GatewayFailure> = object({
  error: object({ code: isText, message: isText, retryable: isFlag }, ['retryable']),
});

/** The error for an answer of a gateway with an error status: its code and message. */
export function gatewayErrorOf(answer: Answer): DurableClientError {
  const body = parseJson(textOf(answer));
  if (!isGatewayFailure(body)) return errorOf(answer);
  const { status, headers } = answer;
  const { code, message, retryable = false } = body.error;
  const retryAfterMs = parseRetryAfter(headers.get(HEADERS.retryAfter));
  return new DurableClientError(code, message, {
    status,
    // Every call here may be sent again, so a fault of the server is worth another try.
    retryable: retryable || status === 429 || status >= 500,
    ...(retryAfterMs !== undefined && { retryAfterMs }),
  });
}
