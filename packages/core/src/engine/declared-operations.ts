import { DurableError } from '../errors.ts';
import { NO_GATEWAY, type Agents } from '../agents/agents.ts';
import type { ResolvedOptions } from '../options.ts';
import type { Operation } from './operation.ts';

/** The operations that are declared in this process, by name. */
export class DeclaredOperations {
  readonly #agents: Agents;
  readonly #byName = new Map<string, Operation>();

  constructor(agents: Agents) {
    this.#agents = agents;
  }

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

  /** Those whose intents can be worked on in this process: an agent's only where a gateway is. */
  runnable(): Operation[] {
    return [...this.#byName.values()].filter((operation) => this.canRun(operation));
  }

  /** Says at the start which operations cannot work here, though this process is meant to. */
  warnOfStranded({ worker, logger }: Pick<ResolvedOptions, 'worker' | 'logger'>): void {
    for (const operation of this.#byName.values()) {
      if (!worker || this.canRun(operation)) continue;
      logger.warn({ operation: operation.name }, `An operation cannot work yet: ${NO_GATEWAY}`);
    }
  }

  canRun({ options }: Operation): boolean {
    return options.agent === null || this.#agents.isHosted;
  }

  names(): string[] {
    return [...this.#byName.keys()];
  }
}
