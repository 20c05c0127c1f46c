import { createHash } from 'node:crypto';
import { canonicalJson, type Ledger } from '@durable-api/core';
import { AxpError } from '../http/errors.ts';
import { instant, type JsonObject } from '../http/json.ts';
import { Register } from '../storage/register.ts';

/** The most schemas that a gateway keeps: every process has them all in memory. */
const MAX_SCHEMAS = 1_000;

/** A schema to keep. */
export interface NewSchema {
  readonly semanticType: string;
  readonly schemaJson: JsonObject;
  readonly schemaRef: string | null;
  readonly compatibilityMode: string;
  readonly scope: string;
  readonly ownerAgent: string | null;
  readonly active: boolean;
}

/** JSON Schemas by the semantic type that they describe. They are kept for clients: nothing is checked by them. */
export class SchemaRegister {
  readonly #ledger: Ledger;
  readonly #register: Register;

  constructor(ledger: Ledger) {
    this.#ledger = ledger;
    this.#register = new Register(ledger, 'schemas');
  }

  /**
   * Keeps a schema in place of what its type had. `mayReplace` is asked about that.
   * @throws AxpError 409 when there are too many
   */
  async put(schema: NewSchema, mayReplace: (current: JsonObject) => void): Promise<JsonObject> {
    const now = instant(this.#ledger.now());
    const { semanticType, schemaJson } = schema;
    const json = canonicalJson(schemaJson);
    const hash = createHash('sha256').update(json).digest('hex');
    const value = await this.#register.update(nameOf(semanticType), (current) => {
      if (current !== undefined) mayReplace(current);
      else if (this.#register.size >= MAX_SCHEMAS) {
        const message = `There are ${MAX_SCHEMAS} schemas already, which is the most.`;
        throw new AxpError(409, 'too_many_schemas', message);
      }
      return {
        semantic_type: semanticType,
        schema_ref: schema.schemaRef ?? `schema://${semanticType}/${hash.slice(0, 16)}`,
        schema_hash: hash,
        compatibility_mode: schema.compatibilityMode,
        scope: schema.scope,
        owner_agent: schema.ownerAgent,
        active: schema.active,
        created_at: current?.['created_at'] ?? now,
        updated_at: now,
        schema_json: schemaJson,
      };
    });
    return value ?? {};
  }

  /** Null when there is none. */
  async get(semanticType: string): Promise<JsonObject | null> {
    await this.#register.open();
    return this.#register.get(nameOf(semanticType)) ?? null;
  }
}

/** Names of notes are short. */
function nameOf(semanticType: string): string {
  return createHash('sha256').update(semanticType).digest('hex');
}
