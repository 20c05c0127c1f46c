import type { WireEvent } from '@durable-api/protocol';

/** A part of what a handler puts out. */
export interface OutputPart {
  /** Whether all parts before this one are void: their attempt has failed, or the handler begins anew. */
  readonly isReset: boolean;
  readonly bytes: Uint8Array<ArrayBuffer>;
  /** The bytes as text; meaningful where the handler puts out text. */
  readonly text: string;
}

/** What an `intent.output` has of the handler's output; null of any other event. */
export function outputOf({ event_type: type, details = {} }: WireEvent): OutputPart | null {
  if (type !== 'intent.output') return null;
  const { text, base64, reset } = details;
  const isReset = reset === true;
  if (typeof text === 'string') return { isReset, text, bytes: new TextEncoder().encode(text) };
  const bytes = Uint8Array.from(atob(typeof base64 === 'string' ? base64 : ''), (character) =>
    character.charCodeAt(0),
  );
  return { isReset, bytes, text: new TextDecoder().decode(bytes) };
}
