/** A frame of a stream. */
export interface Frame {
  readonly id: string | undefined;
  readonly data: Readonly<Record<string, unknown>>;
}

/** The frames of a whole stream. */
export function framesOf(text: string): Frame[] {
  return text
    .split('\n\n')
    .filter((part) => part.includes('data: '))
    .map((part) => ({
      id: /^id: (.*)$/m.exec(part)?.[1],
      data: JSON.parse(/^data: (.*)$/m.exec(part)?.[1] ?? '{}'),
    }));
}
