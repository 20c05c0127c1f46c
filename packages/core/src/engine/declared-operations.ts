import { DurableError } from '../errors.ts';
import { NO_GATEWAY, type Agents } from '../agents/agents.ts';
import type { ResolvedOptions } from '../options.ts';
import {
  describeOperation,
  storedOperation,
  type VersionedOperation,
} from '../state/stored-operation.ts';
import type { Operation } from './operation.ts';

/** The operations that are declared in this process. */
export class DeclaredOperations {
  readonly #agents: Agents;
  readonly #all: Operation[] = [];
  /** Who works on intents of a name and version. */
  readonly #byStored = new Map<string, Operation>();
  /** Of several versions of a name, the one that was declared first. */
  readonly #byName = new Map<string, Operation>();

  constructor(agents: Agents) {
    this.#agents = agents;
  }

  /** @throws DurableError `operation_duplicate` if its name is taken in a version that it takes. */
  add(operation: Operation): void {
    const names = storedNamesOf(operation);
    const taken = names.find((name) => this.#byStored.has(name));
    if (taken !== undefined || new Set(names).size < names.length) {
      throw new DurableError(
        'operation_duplicate',
        `Two operations are called "${operation.name}", and both take the same version. Stored intents are ` +
          'run by name and version: give one of them another name, for instance { name: ' +
          '"reports.generate" }, or another version.',
      );
    }
    this.#all.push(operation);
    for (const name of names) this.#byStored.set(name, operation);
    if (!this.#byName.has(operation.name)) this.#byName.set(operation.name, operation);
  }

  /** Who works on an intent; undefined when nobody does here. */
  of(intent: VersionedOperation): Operation | undefined {
    return this.#byStored.get(storedOperation(intent));
  }

  /** The operation of a name: of this version, or else the one that was declared first. */
  get(name: string, version?: string): Operation | undefined {
    if (version === undefined) return this.#byName.get(name);
    return this.#all.find((each) => each.name === name && each.options.version === version);
  }

  /** @throws DurableError `handler_unavailable` if there is none. */
  find(name: string, version?: string): Operation {
    const operation = this.get(name, version);
    if (operation === undefined) throw this.#unavailable({ operation: name, version });
    return operation;
  }

  /** Who would work on an intent. @throws DurableError `handler_unavailable` if nobody here does. */
  findFor(intent: VersionedOperation): Operation {
    const operation = this.of(intent);
    if (operation === undefined) throw this.#unavailable(intent);
    return operation;
  }

  /** Those whose intents can be worked on in this process: an agent's only where a gateway is. */
  runnable(): Operation[] {
    return this.#all.filter((operation) => this.canRun(operation));
  }

  /** Says at the start which operations cannot work here, though this process is meant to. */
  warnOfStranded({ worker, logger }: Pick<ResolvedOptions, 'worker' | 'logger'>): void {
    for (const operation of this.#all) {
      if (!worker || this.canRun(operation)) continue;
      logger.warn({ operation: operation.name }, `An operation cannot work yet: ${NO_GATEWAY}`);
    }
  }

  canRun({ options }: Operation): boolean {
    return options.agent === null || this.#agents.isHosted;
  }

  all(): readonly Operation[] {
    return this.#all;
  }

  /** The names by which claims know all that is worked on here. */
  storedNames(): string[] {
    return [...this.#byStored.keys()];
  }

  /** What is declared, for a message. */
  describe(): string {
    const all = this.#all.map(({ name, options: { version } }) =>
      version === undefined ? name : `${name} (version ${version})`,
    );
    return all.join(', ') || 'none';
  }

  #unavailable(wanted: VersionedOperation): DurableError {
    const message = `No operation is called ${describeOperation(wanted)} here. Declared are: ${this.describe()}.`;
    return new DurableError('handler_unavailable', message);
  }
}

/** The names by which claims know what an operation takes, its own version first. */
export function storedNamesOf({ name, options }: Operation): string[] {
  return [options.version, ...options.runs].map((version) =>
    storedOperation({ operation: name, version }),
  );
}
