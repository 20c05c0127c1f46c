import { answerTypeOf, encodeAnswerChunk } from '@durable-api/core';
import type { Response } from 'express';

/** Answers with all that `source` gives: text and bytes as they are, anything else as lines of JSON. */
export async function writeAll(source: AsyncIterable<unknown>, res: Response): Promise<void> {
  for await (const chunk of source) {
    if (res.writableEnded || res.destroyed) return;
    if (!res.headersSent && !res.hasHeader('content-type')) {
      res.setHeader('content-type', answerTypeOf(chunk));
    }
    res.write(encodeAnswerChunk(chunk));
  }
  res.end();
}
