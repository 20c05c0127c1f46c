import { DurableError } from '../errors.ts';

/** The `type` of errors of Express's body parsers, and what they are to a caller of an operation. */
const BODY_ERRORS = {
  'charset.unsupported': ['payload_not_json', 'Its charset is not supported. Send UTF-8.'],
  'encoding.unsupported': [
    'payload_not_json',
    'Its Content-Encoding is not supported. Send gzip or none.',
  ],
  'entity.parse.failed': [
    'body_unreadable',
    'It is no well-formed JSON object, JSON list or form. Check its syntax.',
  ],
  'entity.too.large': [
    'payload_too_large',
    'It is larger than the body parser takes. Upload large data elsewhere and send a reference, or ' +
      'have the app raise the limit of its parser.',
  ],
  'parameters.too.many': ['payload_too_large', 'It has too many parameters. Send JSON.'],
  'request.aborted': ['body_unreadable', 'It broke off. Send it again.'],
  'request.size.invalid': [
    'body_unreadable',
    'Its length is not its Content-Length. Send it again.',
  ],
} as const;

/** The problem that an error of Express's body parsers is; null for any other error. */
export function bodyParserError(error: unknown): DurableError | null {
  if (!(error instanceof Error) || !('type' in error)) return null;
  const { type } = error;
  if (!isKnown(type)) return null;
  const [code, what] = BODY_ERRORS[type];
  return new DurableError(code, `The body could not be taken. ${what}`, { cause: error });
}

function isKnown(type: unknown): type is keyof typeof BODY_ERRORS {
  return typeof type === 'string' && Object.hasOwn(BODY_ERRORS, type);
}
