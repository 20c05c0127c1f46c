import { DurableError } from '@durable-api/core';

/** The codes of Fastify's errors of body parsing, and what they are to a caller of an operation. */
const BODY_ERRORS = {
  FST_ERR_CTP_BODY_TOO_LARGE: [
    'payload_too_large',
    'It is larger than the bodyLimit. Upload large data elsewhere and send a reference.',
  ],
  FST_ERR_CTP_INVALID_MEDIA_TYPE: [
    'payload_not_json',
    'No parser here takes its type. Send application/json.',
  ],
  FST_ERR_CTP_EMPTY_JSON_BODY: [
    'body_unreadable',
    'It is empty although its type is JSON. Send a JSON document, or no Content-Type.',
  ],
  FST_ERR_CTP_INVALID_JSON_BODY: [
    'body_unreadable',
    'It is not JSON, or has a key __proto__ or constructor.prototype. Send JSON without such keys.',
  ],
  FST_ERR_CTP_INVALID_CONTENT_LENGTH: [
    'body_unreadable',
    'Its length is not its Content-Length. Send it again.',
  ],
} as const;

/** The problem that an error of Fastify's body parsing is; null for any other error. */
export function fastifyBodyError(error: unknown): DurableError | null {
  if (!(error instanceof Error)) return null;
  const code = 'code' in error ? error.code : undefined;
  // The parser's own error, which also stands for keys that would pollute prototypes.
  const isSyntax =
    error.name === 'SyntaxError' && 'statusCode' in error && error.statusCode === 400;
  const [problem, what] = isKnown(code)
    ? BODY_ERRORS[code]
    : isSyntax
      ? BODY_ERRORS.FST_ERR_CTP_INVALID_JSON_BODY
      : [];
  if (problem === undefined) return null;
  return new DurableError(problem, `The body could not be taken. ${what}`, { cause: error });
}

function isKnown(code: unknown): code is keyof typeof BODY_ERRORS {
  return typeof code === 'string' && Object.hasOwn(BODY_ERRORS, code);
}
