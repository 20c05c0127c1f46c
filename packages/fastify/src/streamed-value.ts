import { Readable } from 'node:stream';
import { answerTypeOf, encodeAnswerChunk, isStreamedAnswer } from '@durable-api/core';
import type { FastifyReply } from 'fastify';

/** Whether a handler returned an async iterator, such as an async generator, which Fastify does not know. */
export function isStreamed(value: unknown): value is AsyncIterable<unknown> {
  return isStreamedAnswer(value) && !(value instanceof ReadableStream);
}

/** Answers with all that `source` gives: text and bytes as they are, anything else as lines of JSON. */
export async function sendAll(
  source: AsyncIterable<unknown>,
  reply: FastifyReply,
): Promise<FastifyReply> {
  const iterator = source[Symbol.asyncIterator]();
  const first = await iterator.next();
  if (!reply.hasHeader('content-type')) reply.type(answerTypeOf(first.value));
  return reply.send(Readable.from(chunks(first, iterator)));
}

async function* chunks(
  first: IteratorResult<unknown>,
  iterator: AsyncIterator<unknown>,
): AsyncGenerator<string | Uint8Array> {
  try {
    for (let next = first; next.done !== true; next = await iterator.next()) {
      yield encodeAnswerChunk(next.value);
    }
  } finally {
    await iterator.return?.();
  }
}
