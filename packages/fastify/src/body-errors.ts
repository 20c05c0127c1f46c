import { DurableError, problemReply, type FullReply } from '@durable-api/core';

/**
 * The answer for an error of Fastify's body parsing; null for any other error, which is the app's to
 * answer.
 */
export function bodyProblem(error: unknown): FullReply | null {
  const problem = bodyError(error);
  return problem === null ? null : problemReply(problem);
}

function bodyError(cause: unknown): DurableError | null {
  if (!(cause instanceof Error)) return null;
  const code = 'code' in cause ? String(cause.code) : '';
  switch (code) {
    case 'FST_ERR_CTP_BODY_TOO_LARGE':
      return new DurableError(
        'payload_too_large',
        'The body is larger than the bodyLimit of this route. Upload large data elsewhere and send ' +
          'a reference.',
        { cause },
      );
    case 'FST_ERR_CTP_INVALID_MEDIA_TYPE':
      return new DurableError(
        'payload_not_json',
        'No parser here takes a body of this content type. Send JSON with Content-Type: ' +
          'application/json.',
        { cause },
      );
    case 'FST_ERR_CTP_EMPTY_JSON_BODY':
      return unreadable(
        'The body is empty although its type is JSON. Send a JSON document, or no Content-Type.',
        cause,
      );
    case 'FST_ERR_CTP_INVALID_CONTENT_LENGTH':
      return unreadable(
        'The body has another length than Content-Length says. Send all of it.',
        cause,
      );
  }
  // Fastify before 5.5 lets the parser's own SyntaxError through, with a status.
  const isSyntax =
    cause.name === 'SyntaxError' && 'statusCode' in cause && cause.statusCode === 400;
  if (!isSyntax && code !== 'FST_ERR_CTP_INVALID_JSON_BODY') return null;
  return unreadable(
    'The body is not JSON, or has a key __proto__ or constructor.prototype. Send a JSON document ' +
      'without such keys.',
    cause,
  );
}

function unreadable(message: string, cause: Error): DurableError {
  return new DurableError('body_unreadable', message, { cause });
}
