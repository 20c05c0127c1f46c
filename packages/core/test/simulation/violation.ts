/** A promise that was broken. */
export class Violation extends Error {
  override readonly name = 'Violation';
}

/** @throws Violation unless `holds`. */
export function promise(holds: boolean, what: () => string): asserts holds {
  if (!holds) throw new Violation(what());
}
