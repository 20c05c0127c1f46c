import { DurableError } from '../errors.ts';
import type { Operation } from './operation.ts';

/** The operations that are declared in this process, by name. */
export class DeclaredOperations {
  readonly #byName = new Map<string, Operation>();

  /** @throws DurableError `operation_duplicate` if its name is taken. */
  add(operation: Operation): void {
    if (this.#byName.has(operation.name)) {
      throw new DurableError(
        'operation_duplicate',
        `Two operations are called "${operation.name}". Stored intents are run by name: give one of ` +
          'them another, for instance { name: "reports.generate" }.',
      );
    }
    this.#byName.set(operation.name, operation);
  }

  get(name: string): Operation | undefined {
    return this.#byName.get(name);
  }

  /** @throws DurableError `handler_unavailable` if there is none. */
  find(name: string): Operation {
    const operation = this.#byName.get(name);
    if (operation !== undefined) return operation;
    const names = this.names().join(', ') || 'none';
    const message = `No operation is called "${name}" here. Declared are: ${names}.`;
    throw new DurableError('handler_unavailable', message);
  }

  all(): Operation[] {
    return [...this.#byName.values()];
  }

  names(): string[] {
    return [...this.#byName.keys()];
  }
}
