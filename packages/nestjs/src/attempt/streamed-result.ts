import { answerTypeOf, encodeAnswerChunk, resultTooLarge } from '@durable-api/core';

/** Shows observers a piece of the answer. Resolves when more may come. */
export type Show = (bytes: Uint8Array, contentType: string) => Promise<void>;

/** An answer that was given bit by bit, as it is stored. */
export interface StreamedResult {
  readonly contentType: string;
  readonly bytes: Uint8Array;
}

/**
 * Reads all that `source` gives, shows it as it comes, and resolves to the whole: text and bytes as they are,
 * anything else as lines of JSON. `declaredType` is that of `@Header()`.
 */
export async function readStreamed(
  source: AsyncIterable<unknown>,
  declaredType: string | undefined,
  maxBytes: number,
  show: Show,
): Promise<StreamedResult> {
  const parts: Buffer[] = [];
  let contentType = declaredType;
  let size = 0;
  for await (const chunk of source) {
    contentType ??= answerTypeOf(chunk);
    // A copy, also of bytes: their memory may be used again once more is asked for.
    const part = Buffer.from(encodeAnswerChunk(chunk));
    size += part.byteLength;
    if (size > maxBytes) throw resultTooLarge(size, maxBytes);
    parts.push(part);
    if (part.byteLength > 0) await show(part, contentType);
  }
  return { contentType: contentType ?? answerTypeOf(''), bytes: Buffer.concat(parts) };
}
