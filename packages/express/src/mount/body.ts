import { DurableError } from '@durable-api/core';
import type { Request } from 'express';

const REFERENCE =
  'Accept the upload in a route of its own, and send the operation a reference to what was stored.';

/**
 * What a body parser made of the request's body.
 * @throws DurableError `body_parser_missing` when nothing has read a body that was sent, and
 * `payload_not_json` when the parsers that there are left it alone, or when it has files.
 */
export function parsedBody(req: Request): unknown {
  const type = req.headers['content-type'] ?? '';
  if (hasFiles(req)) {
    throw new DurableError(
      'payload_not_json',
      `Files cannot be part of an operation. ${REFERENCE}`,
    );
  }
  const body: unknown = req.body;
  if (!isSent(req) || req.readableDidRead || !isNothing(body)) return body;
  if (!Reflect.has(req, 'body')) {
    throw new DurableError(
      'body_parser_missing',
      'The request has a body that no middleware has read. Put a parser in front of the operation: ' +
        `app.use('${req.baseUrl || '/'}', express.json(), api.operation(handler)).`,
    );
  }
  const advice = type.startsWith('multipart/') ? REFERENCE : 'Send application/json.';
  throw new DurableError('payload_not_json', `No body parser here takes "${type}". ${advice}`);
}

function isSent({ headers }: Request): boolean {
  const length = headers['content-length'];
  return headers['transfer-encoding'] !== undefined || (length !== undefined && length !== '0');
}

// Express 4's parsers leave `{}` where they do not parse.
function isNothing(body: unknown): boolean {
  if (typeof body !== 'object' || body === null) return body === undefined;
  return !(body instanceof Uint8Array) && Object.keys(body).length === 0;
}

/** Whether multer or one like it has taken files off the request. */
function hasFiles(req: Request): boolean {
  if ('file' in req && req.file !== undefined) return true;
  if (!('files' in req) || typeof req.files !== 'object' || req.files === null) return false;
  return Object.keys(req.files).length > 0;
}
